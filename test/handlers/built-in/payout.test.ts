import { expect, test } from 'vitest'
import { sampleEvent } from '../../../src/testing.ts'
import { readPayload } from '../../support/read-payload.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'

const type = 'payout.failed'

test('warns with the failure, the amount and where it should have gone', async () => {
  expect(await runBuiltIn(readPayload(type, 'gitpay-payout.failed'))).toEqual({
    level: 'warn',
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
    level: 'warn',
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
  const event = sampleEvent(type, { data: { object: { amount: 1100, currency } } })
  expect(await runBuiltIn(event)).toMatchObject({ amount, currency })
})

test('bears a payout without failure fields, destination or arrival date', async () => {
  const bare = {
    failure_code: undefined,
    failure_message: undefined,
    destination: undefined,
    arrival_date: undefined,
  }
  expect(await runBuiltIn(sampleEvent(type, { data: { object: bare } }))).toMatchObject({
    failureCode: null,
    failureMessage: null,
    destination: null,
    arrivalDate: null,
  })
})
