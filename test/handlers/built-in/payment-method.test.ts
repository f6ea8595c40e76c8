import { expect, test } from 'vitest'
import { sampleEvent } from '../../../src/testing.ts'
import { readPayload } from '../../support/read-payload.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'

const type = 'payment_method.attached'

test('says which customer got which kind of payment method', async () => {
  expect(await runBuiltIn(readPayload(type, 'rubymock-payment_method.attached'))).toEqual({
    level: 'info',
    msg: 'payment method attached',
    eventId: 'evt_000000000000000000000000',
    type,
    objectId: 'card_000000000000000000000000',
    kind: 'card',
    brand: 'visa',
    customer: 'cus_00000000000000',
  })
})

test('bears a payment method that is no card, and no customer_account', async () => {
  const method = { type: 'sepa_debit', card: undefined, customer: null, customer_account: undefined } as const
  expect(await runBuiltIn(sampleEvent(type, { data: { object: method } }))).toMatchObject({
    kind: 'sepa_debit',
    brand: null,
    customer: null,
  })
})
