import { expect, test } from 'vitest'
import { sampleEvent } from '../../../src/testing.ts'
import { readPayload } from '../../support/read-payload.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'

const type = 'payment_intent.payment_failed'
const event = readPayload(type, 'lago-2020-08-27-payment_intent_payment_failed')

test('warns of a payment that failed, why, and that its customer can try again', async () => {
  expect(await runBuiltIn(event)).toEqual({
    level: 'warn',
    msg: 'payment failed',
    eventId: event.id,
    type,
    objectId: 'pi_3SVvxMQ8iJWBZFaM1Lao8ehu',
    amount: '118.80',
    currency: 'usd',
    status: 'requires_payment_method',
    customerCanRetry: true,
    code: 'authentication_required',
    declineCode: 'authentication_not_handled',
    adviceCode: null,
    customer: 'cus_TSOWyTkxXlWiTc',
    paymentMethod: 'pm_1SVTn7Q8iJWBZFaMgjl33y0O',
  })
})

test('says that a payment that was canceled cannot be tried again, and what the issuer advises', async () => {
  const last_payment_error = { code: undefined, payment_method: undefined, advice_code: 'do_not_try_again' } as const
  const object = { status: 'canceled', last_payment_error } as const
  expect(await runBuiltIn(sampleEvent(type, { data: { object } }))).toMatchObject({
    customerCanRetry: false,
    adviceCode: 'do_not_try_again',
    code: null,
    paymentMethod: null,
  })
})
