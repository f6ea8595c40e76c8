import Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { snapshotTypes, thinTypes } from '../../src/event/known-types.ts'
import { twinOf } from '../../src/event/twin.ts'
import type { EventType } from '../../src/event.ts'
import { buildSampleEvent, createSample } from '../../src/samples/event.ts'

const now = new Date('2026-03-04T05:06:07.890Z')
const account = 'acct_1A2b3C4d5E6f'

const build = (type: EventType, more = {}) => JSON.parse(buildSampleEvent({ type, now, ...more }))
const idsOf = (event: { id: string; data?: { object: { id?: string } }; related_object?: { id?: string } }) => [
  event.id,
  event.data?.object.id ?? event.related_object?.id,
]

describe('a snapshot event', () => {
  it.each(snapshotTypes)('%s is whole and of the current API version', (type) => {
    const body = buildSampleEvent({ type, now })
    const event = Stripe.webhooks.constructEventWithoutVerification(body)
    expect(event).toMatchObject({
      object: 'event',
      type,
      api_version: Stripe.API_VERSION,
      created: 1772600767,
      livemode: false,
      pending_webhooks: 1,
    })
    expect(event.id).toMatch(/^evt_\w{24}$/)
    expect(event.request).toHaveProperty('idempotency_key')
    expect(event.data.object).toHaveProperty('object')
    expect(body).toBe(JSON.stringify(event, null, 2))
  })
})

describe('a thin event', () => {
  it.each(thinTypes)('%s has no data, and names its twin if it has one', (type) => {
    const { thin, snapshot } = createSample({ type, now })
    expect(thin).toMatchObject({ object: 'v2.core.event', type, created: now.toISOString(), livemode: false })
    expect(thin?.id).toMatch(/^evt_(test_)?\w{24}$/)
    expect(thin).not.toHaveProperty('data')
    expect(thin).not.toHaveProperty('api_version')
    expect(snapshot?.type).toBe(snapshotTypes.find((each) => each === twinOf(type)))
    expect(thin?.snapshot_event).toBe(snapshot?.id)
  })

  it('of a ping has the id of a test', () => {
    expect(build('v2.core.event_destination.ping').id).toMatch(/^evt_test_/)
  })
})

it.each<EventType>(['payout.failed', 'v1.payout.failed'])(
  '%s carries a connected account where Stripe puts it',
  (type) => {
    const isSnapshot = type === 'payout.failed'
    expect(build(type, { account })).toMatchObject({ ...(isSnapshot && { account }), context: account })
    if (!isSnapshot) expect(build(type, { account })).not.toHaveProperty('account')
    expect(build(type)).not.toHaveProperty('account')
    expect(build(type)).not.toHaveProperty('context')
  },
)

/** What has no id of its own: an account has one of it, or it is a summary. */
const fixedIds = [undefined, 'card_payments', 'balance.summary.1']

it('has ids of its own each time', () => {
  for (const type of [...snapshotTypes, ...thinTypes]) {
    const [first, second] = [idsOf(build(type)), idsOf(build(type))]
    expect(first[0], type).not.toBe(second[0])
    if (!fixedIds.includes(first[1])) expect(first[1], type).not.toBe(second[1])
  }
})

it('says its mode in the event and the object', () => {
  const event = build('payout.failed', { livemode: true })
  expect(event).toMatchObject({ livemode: true, data: { object: { livemode: true } } })
  expect(build('v1.payout.failed', { livemode: true }).livemode).toBe(true)
  expect(build('checkout.session.completed', { livemode: true }).data.object.id).toMatch(/^cs_live_/)
})

it.each([
  ['v1.payment_intent.succeeded', { id: 'pi_0', type: 'payment_intent', url: '/v1/payment_intents/pi_0' }],
  ['v1.charge.dispute.created', { id: 'du_0', type: 'dispute', url: '/v1/disputes/du_0' }],
  ['v1.account.updated', { id: account, type: 'account', url: `/v1/accounts/${account}` }],
  ['v1.person.updated', { type: 'person', url: `/v1/accounts/${account}/persons/person_0` }],
  ['v1.billing.meter.updated', { id: 'mtr_0', type: 'billing.meter', url: '/v1/billing/meters/mtr_0' }],
  ['v1.billing.alert.triggered', { id: 'alrt_0', type: 'billing.alert', url: '/v1/billing/alerts/alrt_0' }],
  ['v1.balance.available', { type: 'balance', url: '/v1/balance' }],
  ['v1.customer.discount.created', { type: 'discount', url: '/v1/customers/cus_0/discount' }],
  ['v2.core.account[identity].updated', { id: account, type: 'v2.core.account', url: `/v2/core/accounts/${account}` }],
  [
    'v2.core.account_person.created',
    { type: 'v2.core.account_person', url: `/v2/core/accounts/${account}/persons/person_0` },
  ],
] as const)('%s names its related object', (type, expected) => {
  const { related_object } = build(type, { account, createId: (prefix: string) => `${prefix}0` })
  expect(related_object).toMatchObject(expected)
  expect('id' in related_object).toBe('id' in expected || type.includes('person'))
})

it.each([
  'v1.account.external_account.updated',
  'v1.account.application.deauthorized',
  'v1.billing_portal.session.created',
  'v1.invoice.upcoming',
  'v2.core.account_link.returned',
] as const)('%s names no related object, as at Stripe', (type) => {
  expect(build(type)).not.toHaveProperty('related_object')
})

it('is about the connected account in account events', () => {
  expect(build('account.updated', { account }).data.object.id).toBe(account)
  expect(build('person.updated', { account }).data.object.account).toBe(account)
  expect(build('account.external_account.updated', { account }).data.object.account).toBe(account)
})

it('tells in the object what the type says', () => {
  expect(build('payout.paid').data.object).toMatchObject({ status: 'paid', failure_code: null })
  expect(build('payout.failed').data.object).toMatchObject({ status: 'failed', failure_code: 'account_closed' })
  expect(build('payment_intent.payment_failed').data.object).toMatchObject({
    status: 'requires_payment_method',
    amount_received: 0,
    last_payment_error: { code: 'card_declined' },
  })
  expect(build('charge.refunded').data.object).toMatchObject({ refunded: true, amount_refunded: 4200 })
  expect(build('customer.subscription.deleted').data.object).toMatchObject({ status: 'canceled' })
  expect(build('customer.subscription.updated').data).toMatchObject({
    previous_attributes: { cancel_at_period_end: false },
  })
  expect(build('invoice.upcoming').data.object).not.toHaveProperty('id')
  expect(build('issuing_authorization.request').data.object).toMatchObject({ pending_request: { amount: 4200 } })
})

it('makes the thin twin of the snapshot event as it was edited', () => {
  const edit = (event: object) => ({ ...event, id: 'evt_set', data: { object: { id: 'po_set', object: 'payout' } } })
  const { thin } = createSample({ type: 'payout.failed', now, edit })
  expect(thin).toMatchObject({ snapshot_event: 'evt_set', related_object: { id: 'po_set', url: '/v1/payouts/po_set' } })
})
