import { expect, test } from 'vitest'
import { INFO, readObject, runBuiltIn, snapshotOf, WARN, without } from '../../support/handler-context.ts'

const type = 'customer.subscription.deleted'
const subscription = readObject(type, 'subscription')
const { cancellation_details: details } = subscription
if (!details) throw new Error('The sample has no cancellation details.')

test('says which subscription ended, when and why', async () => {
  const line = await runBuiltIn(snapshotOf(type, subscription))
  expect(line).toEqual({
    level: INFO,
    msg: 'subscription ended',
    eventId: 'evt_1Snapshot',
    type,
    account: 'acct_1Connected',
    objectId: 'sub_1PgafuB7WZ01zgkW',
    status: 'canceled',
    reason: 'cancellation_requested',
    feedback: 'unused',
    endedAt: '2009-02-13T23:31:30.000Z',
    customer: 'cus_1PgafuB7WZ01zgkW',
    prices: ['price_1'],
  })
  expect(JSON.stringify(line)).not.toContain('Jenny')
})

test.each(['payment_failed', 'payment_disputed'] as const)('warns when the reason is %s', async (reason) => {
  const event = snapshotOf(type, { ...subscription, cancellation_details: { ...details, reason } })
  expect(await runBuiltIn(event)).toMatchObject({ level: WARN, reason })
})

test('bears a subscription from before cancellation details existed', async () => {
  const old = without(subscription, 'cancellation_details', 'customer_account')
  expect(await runBuiltIn(snapshotOf(type, old))).toMatchObject({ level: INFO, reason: null, feedback: null })
})
