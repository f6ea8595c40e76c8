import { expect, test } from 'vitest'
import { sampleEvent } from '../../../src/testing.ts'
import { readPayload } from '../../support/read-payload.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'

const type = 'charge.dispute.created'

test('warns of what is at stake, why, and until when evidence counts', async () => {
  expect(await runBuiltIn(readPayload(type, 'rubymock-charge.dispute.created'))).toEqual({
    level: 'warn',
    msg: 'charge disputed',
    eventId: 'evt_000000000000000000000000',
    type,
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
  const event = sampleEvent(type, { data: { object: { evidence_details: { due_by: null, past_due: true } } } })
  expect(await runBuiltIn(event)).toMatchObject({ evidenceDueBy: null, evidencePastDue: true })
})

test.each([
  ['jpy', '1000'],
  ['kwd', '1.000'],
])('writes the amount with the decimals of %s', async (currency, amount) => {
  const event = sampleEvent(type, { data: { object: { amount: 1000, currency } } })
  expect(await runBuiltIn(event)).toMatchObject({ amount, currency })
})

test('bears a dispute without evidence details or payment intent', async () => {
  const old = { evidence_details: undefined, payment_intent: undefined }
  expect(await runBuiltIn(sampleEvent(type, { data: { object: old } }))).toMatchObject({
    level: 'warn',
    evidenceDueBy: null,
    evidencePastDue: null,
    paymentIntent: null,
  })
})
