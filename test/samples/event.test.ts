import Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { handlerMap } from '../../src/handlers/built-in/map.ts'
import { buildSampleEvent } from '../../src/samples/event.ts'
import { findSample, type SampleType, sampleTypes } from '../../src/samples/objects.ts'

const now = new Date('2026-03-04T05:06:07.890Z')
const account = 'acct_1A2b3C4d5E6f'

const snapshot = (type: SampleType, more = {}) => JSON.parse(buildSampleEvent({ type, now, ...more }))
const thin = (type: SampleType, more = {}) => snapshot(type, { thin: true, ...more })

it('has a handler for every sample, in both shapes', () => {
  const types = sampleTypes.flatMap((type) => [type, `v1.${type}`])
  expect(sampleTypes.length).toBeGreaterThanOrEqual(9)
  expect(Object.keys(handlerMap)).toEqual(expect.arrayContaining(types))
})

describe.each(sampleTypes)('%s', (type) => {
  it('is a whole snapshot event of the current API version', () => {
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

  it('is a thin event without data', () => {
    const event = thin(type)
    expect(event).toMatchObject({ object: 'v2.core.event', type: `v1.${type}`, created: now.toISOString() })
    expect(event.id).toMatch(/^evt_\w{24}$/)
    expect(event.snapshot_event).toMatch(/^evt_\w{24}$/)
    expect(event.snapshot_event).not.toBe(event.id)
    expect(event).not.toHaveProperty('data')
    expect(event).not.toHaveProperty('api_version')
  })

  it('carries a connected account where Stripe puts it, and none otherwise', () => {
    expect(snapshot(type, { account })).toMatchObject({ account, context: account })
    expect(thin(type, { account })).toMatchObject({ context: account })
    expect(thin(type, { account })).not.toHaveProperty('account')
    for (const event of [snapshot(type), thin(type)]) {
      expect(event).not.toHaveProperty('account')
      expect(event).not.toHaveProperty('context')
    }
  })

  it('has ids of its own each time', () => {
    const [first, second] = [snapshot(type), snapshot(type)]
    expect(first.id).not.toBe(second.id)
    if (type !== 'balance.available') expect(first.data.object.id).not.toBe(second.data.object.id)
  })

  it('says its mode in the event and the object', () => {
    const event = snapshot(type, { livemode: true })
    expect(event.livemode).toBe(true)
    if ('livemode' in event.data.object) expect(event.data.object.livemode).toBe(true)
    expect(thin(type, { livemode: true }).livemode).toBe(true)
  })
})

it.each([
  ['payment_intent.succeeded', { type: 'payment_intent', url: '/v1/payment_intents/pi_0' }],
  ['charge.dispute.created', { type: 'dispute', url: '/v1/disputes/du_0' }],
  ['account.updated', { id: account, type: 'account', url: `/v1/accounts/${account}` }],
  ['person.updated', { type: 'person', url: `/v1/accounts/${account}/persons/person_0` }],
] as const)('names the related object of v1.%s', (type, expected) => {
  expect(thin(type, { account, createId: (prefix: string) => `${prefix}0` }).related_object).toMatchObject(expected)
})

it('names a balance without an id, and no related object where Stripe names none', () => {
  expect(thin('balance.available').related_object).toEqual({ type: 'balance', url: '/v1/balance' })
  expect(thin('account.external_account.updated')).not.toHaveProperty('related_object')
  expect(thin('account.application.deauthorized')).not.toHaveProperty('related_object')
})

it('is about the connected account in account events', () => {
  expect(snapshot('account.updated', { account }).data.object.id).toBe(account)
  expect(snapshot('person.updated', { account }).data.object.account).toBe(account)
  expect(snapshot('account.external_account.updated', { account }).data.object.account).toBe(account)
})

it('finds a sample by its snapshot or thin name only', () => {
  expect(findSample('payout.failed')).toEqual({ type: 'payout.failed', isThinName: false })
  expect(findSample('v1.payout.failed')).toEqual({ type: 'payout.failed', isThinName: true })
  for (const type of ['payout.paid', 'v1.v1.payout.failed', 'constructor', '']) expect(findSample(type)).toBeUndefined()
})
