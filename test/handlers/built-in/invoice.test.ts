import { expect, test } from 'vitest'
import { sampleEvent } from '../../../src/testing.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'

const type = 'invoice.payment_failed'

test('warns of an invoice that could not be charged, and when Stripe tries again', async () => {
  const object = {
    id: 'in_1',
    ...{ amount_due: 2_000, amount_remaining: 1_500, attempt_count: 2, next_payment_attempt: 1_234_567_890 + 86_400 },
    ...({ billing_reason: 'subscription_cycle', customer: 'cus_1' } as const),
    parent: { subscription_details: { subscription: 'sub_1' } },
    hosted_invoice_url: 'https://invoice.stripe.com/i/secret',
  }
  const line = await runBuiltIn(sampleEvent(type, { id: 'evt_1', account: 'acct_1Connected', data: { object } }))
  expect(line).toEqual({
    level: 'warn',
    msg: 'invoice payment failed',
    eventId: 'evt_1',
    type,
    account: 'acct_1Connected',
    objectId: 'in_1',
    amountDue: '15.00',
    currency: 'eur',
    status: 'open',
    attemptCount: 2,
    nextAttempt: '2009-02-14T23:31:30.000Z',
    billingReason: 'subscription_cycle',
    customer: 'cus_1',
    subscription: 'sub_1',
  })
  expect(JSON.stringify(line)).not.toContain(object.hosted_invoice_url)
})

test('says that Stripe does not try again', async () => {
  const last = sampleEvent(type, { data: { object: { next_payment_attempt: null } } })
  expect(await runBuiltIn(last)).toMatchObject({ nextAttempt: null })
})

test('bears an invoice of an old API version, or of no subscription', async () => {
  const old = { amount_due: 2_000, parent: undefined, amount_remaining: undefined, customer_account: undefined }
  expect(await runBuiltIn(sampleEvent(type, { data: { object: old } }))).toMatchObject({
    amountDue: '20.00',
    subscription: null,
  })
  const single = sampleEvent(type, { data: { object: { parent: null } } })
  expect(await runBuiltIn(single)).toMatchObject({ subscription: null })
})
