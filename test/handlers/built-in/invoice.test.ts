import { expect, test } from 'vitest'
import { readObject, runBuiltIn, snapshotOf, WARN, without } from '../../support/handler-context.ts'

const type = 'invoice.payment_failed'
const invoice = readObject(type, 'invoice')

test('warns of an invoice that could not be charged, and when Stripe tries again', async () => {
  const line = await runBuiltIn(snapshotOf(type, invoice))
  expect(line).toEqual({
    level: WARN,
    msg: 'invoice payment failed',
    eventId: 'evt_1Snapshot',
    type,
    account: 'acct_1Connected',
    objectId: 'in_1PgafuB7WZ01zgkW',
    amountDue: '15.00',
    currency: 'eur',
    status: 'open',
    attemptCount: 2,
    nextAttempt: '2009-02-14T23:31:30.000Z',
    billingReason: 'subscription_cycle',
    customer: 'cus_1PgafuB7WZ01zgkW',
    subscription: 'sub_1PgafuB7WZ01zgkW',
  })
  expect(JSON.stringify(line)).not.toContain(String(invoice.hosted_invoice_url))
})

test('says that Stripe does not try again', async () => {
  const last = snapshotOf(type, { ...invoice, next_payment_attempt: null })
  expect(await runBuiltIn(last)).toMatchObject({ nextAttempt: null })
})

test('bears an invoice of an old API version, or of no subscription', async () => {
  const old = without(invoice, 'parent', 'amount_remaining', 'customer_account')
  expect(await runBuiltIn(snapshotOf(type, old))).toMatchObject({ amountDue: '20.00', subscription: null })
  expect(await runBuiltIn(snapshotOf(type, { ...invoice, parent: null }))).toMatchObject({ subscription: null })
})
