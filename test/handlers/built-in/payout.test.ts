import { expect, test } from 'vitest'
import { readObject, readPayload, runBuiltIn, snapshotOf, WARN, without } from '../../support/handler-context.ts'

const type = 'payout.failed'

test('warns with the failure, the amount and where it should have gone', async () => {
  expect(await runBuiltIn(readPayload(type, 'gitpay-payout.failed'))).toEqual({
    level: WARN,
    msg: 'payout failed',
    eventId: 'evt_1ChFtEAcSPl6ox0l3VSifPWa',
    type,
    account: 'acct_1CdjXFAcSPl6ox0l',
    objectId: 'po_1CgNDoAcSPl6ox0ljXdVYWx3',
    amount: '74.09',
    currency: 'brl',
    status: 'failed',
    failureCode: 'could_not_process',
    failureMessage: 'The bank could not process this transfer.',
    destination: 'ba_1Ce0PIAcSPl6ox0lFYghLdq4',
    arrivalDate: '2018-06-25T00:00:00.000Z',
  })
})

test('warns without a failure code too', async () => {
  expect(await runBuiltIn(readPayload(type, 'kaspernj-payout.failed'))).toMatchObject({
    level: WARN,
    amount: '11.00',
    status: 'in_transit',
    failureCode: null,
    failureMessage: null,
  })
})

test.each([
  ['jpy', '1100'],
  ['kwd', '1.100'],
])('writes the amount with the decimals of %s', async (currency, amount) => {
  expect(await runBuiltIn(snapshotOf(type, readObject(type, 'payout', { currency })))).toMatchObject({
    amount,
    currency,
  })
})

test('bears a payout without failure fields, destination or arrival date', async () => {
  const bare = without(readObject(type, 'payout'), 'failure_code', 'failure_message', 'destination', 'arrival_date')
  expect(await runBuiltIn(snapshotOf(type, bare))).toMatchObject({
    failureCode: null,
    failureMessage: null,
    destination: null,
    arrivalDate: null,
  })
})
