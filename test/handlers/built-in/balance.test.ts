import { expect, test } from 'vitest'
import { sampleEvent } from '../../../src/testing.ts'
import { readPayload } from '../../support/read-payload.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'

const type = 'balance.available'

test('says what is available and what is pending in each currency', async () => {
  expect(await runBuiltIn(readPayload(type, 'gitpay-balance.available'))).toEqual({
    level: 'info',
    msg: 'balance available',
    eventId: 'evt_1234',
    type,
    objectId: null,
    available: ['64.20 USD', '-24.48 BRL'],
    pending: ['0.00 USD', '0.00 BRL'],
  })
})

test.each([
  ['govukpay-balance_available', ['8530.67 GBP'], ['2.10 GBP']],
  ['rubymock-balance.available', ['76.48 USD'], ['377.34 USD']],
])('reads the balance of %s', async (file, available, pending) => {
  expect(await runBuiltIn(readPayload(type, file))).toMatchObject({ available, pending })
})

test('writes each amount with the decimals of its currency', async () => {
  const available = [
    { amount: 5000, currency: 'jpy' },
    { amount: 5000, currency: 'kwd' },
  ]
  expect(await runBuiltIn(sampleEvent(type, { data: { object: { available } } }))).toMatchObject({
    available: ['5000 JPY', '5.000 KWD'],
  })
})

test('bears a balance without pending funds', async () => {
  const event = sampleEvent(type, { data: { object: { pending: undefined } } })
  expect(await runBuiltIn(event)).toMatchObject({ pending: null })
})
