import { expect, test } from 'vitest'
import { INFO, readObject, readPayload, runBuiltIn, snapshotOf, without } from '../../support/handler-context.ts'

const type = 'payment_intent.succeeded'

test.each([['lago-2020-08-27-payment_intent_succeeded'], ['lago-2024-09-30.acacia-payment_intent_succeeded']])(
  'says what %s paid, by whom and with what',
  async (file) => {
    expect(await runBuiltIn(readPayload(type, file))).toEqual({
      level: INFO,
      msg: 'payment succeeded',
      eventId: 'evt_3R3dvoQ8iJWBZFaM0Wh4E44o',
      type,
      account: null,
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
  const event = snapshotOf(type, readObject(type, 'payment_intent', { amount_received: 5000, currency }))
  expect(await runBuiltIn(event)).toMatchObject({ amount, currency })
})

test('says what was received when less than the amount was captured', async () => {
  const event = snapshotOf(type, readObject(type, 'payment_intent', { amount: 5000, amount_received: 1250 }))
  expect(await runBuiltIn(event)).toMatchObject({ amount: '12.50' })
})

test('names a customer that is an account', async () => {
  const event = snapshotOf(
    type,
    readObject(type, 'payment_intent', { customer: null, customer_account: 'acct_1Customer' }),
  )
  expect(await runBuiltIn(event)).toMatchObject({ customer: 'acct_1Customer' })
})

test('bears the fields that older API versions leave out', async () => {
  const old = without(
    readObject(type, 'payment_intent', { amount: 1250 }),
    'amount_received',
    'latest_charge',
    'customer_account',
    'payment_method',
  )
  expect(await runBuiltIn(snapshotOf(type, old))).toMatchObject({
    amount: '12.50',
    charge: null,
    customer: null,
    paymentMethod: null,
  })
})
