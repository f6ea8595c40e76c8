import { expect, test } from 'vitest'
import { readObject, readPayload, runBuiltIn, snapshotOf, WARN, without } from '../../support/handler-context.ts'

const type = 'charge.dispute.created'

test('warns of what is at stake, why, and until when evidence counts', async () => {
  expect(await runBuiltIn(readPayload(type, 'rubymock-charge.dispute.created'))).toEqual({
    level: WARN,
    msg: 'charge disputed',
    eventId: 'evt_000000000000000000000000',
    type,
    account: null,
    objectId: 'dp_000000000000000000000000',
    amount: '1.00',
    currency: 'usd',
    reason: 'fraudulent',
    status: 'warning_needs_response',
    charge: 'ch_000000000000000000000000',
    paymentIntent: null,
    evidenceDueBy: '2022-04-04T23:59:59.000Z',
    evidencePastDue: false,
  })
})

test('says that evidence is past due, and that no deadline is set', async () => {
  const { evidence_details } = readObject(type, 'dispute')
  const late = { evidence_details: { ...evidence_details, due_by: null, past_due: true } }
  const event = snapshotOf(type, readObject(type, 'dispute', late))
  expect(await runBuiltIn(event)).toMatchObject({ evidenceDueBy: null, evidencePastDue: true })
})

test.each([
  ['jpy', '1000'],
  ['kwd', '1.000'],
])('writes the amount with the decimals of %s', async (currency, amount) => {
  expect(await runBuiltIn(snapshotOf(type, readObject(type, 'dispute', { currency })))).toMatchObject({
    amount,
    currency,
  })
})

test('bears a dispute without evidence details or payment intent', async () => {
  const old = without(readObject(type, 'dispute'), 'evidence_details', 'payment_intent')
  expect(await runBuiltIn(snapshotOf(type, old))).toMatchObject({
    level: WARN,
    evidenceDueBy: null,
    evidencePastDue: null,
    paymentIntent: null,
  })
})
