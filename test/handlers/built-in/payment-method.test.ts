import { expect, test } from 'vitest'
import { INFO, readObject, readPayload, runBuiltIn, snapshotOf, without } from '../../support/handler-context.ts'

const type = 'payment_method.attached'

test('says which customer got which kind of payment method', async () => {
  expect(await runBuiltIn(readPayload(type, 'rubymock-payment_method.attached'))).toEqual({
    level: INFO,
    msg: 'payment method attached',
    eventId: 'evt_000000000000000000000000',
    type,
    account: null,
    objectId: 'card_000000000000000000000000',
    kind: 'card',
    brand: 'visa',
    customer: 'cus_00000000000000',
  })
})

test('bears a payment method that is no card, and no customer_account', async () => {
  const method = readObject(type, 'payment_method', { type: 'sepa_debit' })
  const event = snapshotOf(type, without(method, 'card', 'customer_account'))
  expect(await runBuiltIn(event)).toMatchObject({ kind: 'sepa_debit', brand: null, customer: null })
})
