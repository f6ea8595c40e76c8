import { expect, test } from 'vitest'
import { sampleEvent } from '../../../src/testing.ts'
import { readPayload } from '../../support/read-payload.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'

const type = 'payment_intent.succeeded'

test.each([['lago-2020-08-27-payment_intent_succeeded'], ['lago-2024-09-30.acacia-payment_intent_succeeded']])(
  'says what %s paid, by whom and with what',
  async (file) => {
    expect(await runBuiltIn(readPayload(type, file))).toEqual({
      level: 'info',
      msg: 'payment succeeded',
      eventId: 'evt_3R3dvoQ8iJWBZFaM0Wh4E44o',
      type,
      objectId: 'pi_3R3dvoQ8iJWBZFaM0uu1G1rx',
      amount: '38.97',
      currency: 'usd',
      status: 'succeeded',
      customer: 'cus_Rw5Qso78STEap3',
      paymentMethod: 'pm_1R2DFsQ8iJWBZFaMw3LLbR0r',
      charge: 'ch_3R3dvoQ8iJWBZFaM0NhAbztB',
    })
  },
)

test.each([
  ['jpy', '5000'],
  ['kwd', '5.000'],
])('writes the amount with the decimals of %s', async (currency, amount) => {
  const event = sampleEvent(type, { data: { object: { amount_received: 5000, currency } } })
  expect(await runBuiltIn(event)).toMatchObject({ amount, currency })
})

test('says what was received when less than the amount was captured', async () => {
  const event = sampleEvent(type, { data: { object: { amount: 5000, amount_received: 1250 } } })
  expect(await runBuiltIn(event)).toMatchObject({ amount: '12.50' })
})

test('names a customer that is an account', async () => {
  const event = sampleEvent(type, { data: { object: { customer: null, customer_account: 'acct_1Customer' } } })
  expect(await runBuiltIn(event)).toMatchObject({ customer: 'acct_1Customer' })
})

test('bears the fields that older API versions leave out', async () => {
  const old = {
    amount: 1250,
    amount_received: undefined,
    latest_charge: undefined,
    customer: null,
    customer_account: undefined,
    payment_method: undefined,
  }
  expect(await runBuiltIn(sampleEvent(type, { data: { object: old } }))).toMatchObject({
    amount: '12.50',
    charge: null,
    customer: null,
    paymentMethod: null,
  })
})
