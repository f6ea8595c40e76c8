import Stripe from 'stripe'
import { describe, expect, it, vi } from 'vitest'
import { PermanentError } from '../src/errors.ts'
import { isEventType, previewTypes, snapshotTypes, thinTypes } from '../src/event/known-types.ts'
import type { FallbackContext, HandlerMap } from '../src/event.ts'
import { runHandler, sampleEvent } from '../src/testing.ts'

describe('sampleEvent', () => {
  it('makes an event with ids of its own, and what overrides it at any depth', () => {
    const [first, second] = [sampleEvent('payout.failed'), sampleEvent('payout.failed')]
    expect(first).toMatchObject({ object: 'event', type: 'payout.failed', data: { object: { object: 'payout' } } })
    expect(new Set([first.id, second.id, first.data.object.id, second.data.object.id]).size).toBe(4)

    const { data } = sampleEvent('payout.failed', { data: { object: { amount: 4200, trace_id: { value: 'T1' } } } })
    expect(data.object).toMatchObject({
      amount: 4200,
      status: 'failed',
      trace_id: { status: 'unsupported', value: 'T1' },
    })
  })

  it('leaves out what is overridden with undefined, and takes arrays whole', () => {
    const requirements = { past_due: ['external_account'], errors: undefined }
    const { object } = sampleEvent('account.updated', { data: { object: { requirements, email: undefined } } }).data
    expect(object).not.toHaveProperty('email')
    expect(object.requirements).not.toHaveProperty('errors')
    expect(object.requirements?.past_due).toEqual(['external_account'])
  })

  it('makes a thin event that answers the sample of its object, without network', async () => {
    const event = sampleEvent('v1.payout.failed')
    expect(event).toMatchObject({ object: 'v2.core.event', type: 'v1.payout.failed' })
    const payout = await event.fetchRelatedObject()
    expect(payout).toMatchObject({ object: 'payout', status: 'failed', id: event.related_object.id })
    expect(await event.fetchEvent()).toMatchObject({ id: event.id, type: event.type, created: event.created })
  })

  it('names the overridden object in what a thin event answers, or answers what is overridden', async () => {
    const named = sampleEvent('v1.payout.failed', { related_object: { id: 'po_1' }, context: 'acct_1' })
    expect(await named.fetchRelatedObject()).toMatchObject({ id: 'po_1', object: 'payout' })
    expect(named.context?.toString()).toBe('acct_1')
    const { object } = sampleEvent('payout.failed', { data: { object: { id: 'po_2' } } }).data
    const answering = sampleEvent('v1.payout.failed', { fetchRelatedObject: async () => object })
    expect(await answering.fetchRelatedObject()).toBe(object)
  })

  it('answers null where a thin event names no object, as the SDK does', async () => {
    const event = sampleEvent('v1.account.external_account.updated')
    const fetching = { fetchRelatedObject: async () => 'nothing called this', ...event }
    expect(await fetching.fetchRelatedObject()).toBeNull()
    const balance = sampleEvent('v1.balance.available')
    expect(await balance.fetchRelatedObject()).toMatchObject({ object: 'balance' })
    expect(await balance.fetchRelatedObject()).not.toHaveProperty('id')
  })

  it('makes an event of every type, and what a thin one fetches', async () => {
    for (const type of snapshotTypes) expect(sampleEvent(type)).toMatchObject({ object: 'event', type })
    const preview = previewTypes.filter(isEventType)
    expect(preview).toEqual(previewTypes)
    for (const type of preview) expect(sampleEvent(type)).toMatchObject({ object: 'v2.core.event', type })
    for (const type of thinTypes) {
      const event = sampleEvent(type)
      expect(event).toMatchObject({ object: 'v2.core.event', type })
      const fetched = 'fetchRelatedObject' in event ? await event.fetchRelatedObject() : null
      const named = 'related_object' in event ? event.related_object : null
      expect(fetched && { type: fetched.object }, type).toEqual(named && { type: named.type })
      expect(await event.fetchEvent(), type).toMatchObject({ id: event.id, type })
    }
  })

  it('gives the data that only the fetched event has', async () => {
    const returned = await sampleEvent('v2.core.account_link.returned').fetchEvent()
    expect(returned.data).toMatchObject({ use_case: 'account_onboarding' })
    const failed = await sampleEvent('v1.billing.meter.error_report_triggered').fetchEvent()
    expect(failed.data.reason).toMatchObject({
      error_count: 1,
      error_types: [{ code: 'meter_event_customer_not_found' }],
    })
    const lost = await sampleEvent('v2.core.health.event_generation_failure.resolved').fetchEvent()
    expect(lost.data.impact.event_type).toBe('payout.failed')
  })

  it('says that there is no such type', () => {
    expect(() => sampleEvent('payout.imaginary' as 'payout.failed')).toThrow('payout.imaginary')
  })
})

describe('runHandler', () => {
  it('runs the handler of the type with what the server gives it, and tells how it ended', async () => {
    const handler = vi.fn((_event: unknown, ctx: FallbackContext) => ctx.log.warn({ seen: true }, 'seen'))
    const event = sampleEvent('payout.failed', { account: 'acct_1' })
    const { outcome, error, lines } = await runHandler({ 'payout.failed': handler as never }, event)
    expect({ outcome, error }).toEqual({ outcome: { state: 'handled' }, error: undefined })
    const facts = { eventId: event.id, type: 'payout.failed', account: 'acct_1' }
    expect(lines).toEqual([{ level: 'warn', msg: 'seen', seen: true, ...facts }])
    const [given, ctx] = handler.mock.calls[0] ?? []
    expect(given).toBe(event)
    expect(ctx).toMatchObject({ attempt: 1, hasApiKey: true, idempotencyKey: event.id, known: true })
    expect(ctx?.entry).toMatchObject({ objectId: event.data.object.id, route: 'connect', shape: 'snapshot' })
  })

  it('hands over a thin event whose context the SDK made an object of', async () => {
    const handler = vi.fn((_event: unknown, _ctx: FallbackContext) => {})
    const event = sampleEvent('v1.payout.failed', { context: 'acct_org/acct_1' })
    await runHandler({ 'v1.payout.failed': handler as never }, event)
    const facts = { shape: 'thin', account: 'acct_1', objectId: event.related_object.id }
    expect(handler.mock.calls[0]?.[1].entry).toMatchObject(facts)
  })

  it('runs the fallback for another type, else leaves it unhandled', async () => {
    const fallback = vi.fn()
    const { outcome } = await runHandler({}, sampleEvent('payout.failed'), { fallback })
    expect(outcome).toEqual({ state: 'handled', reason: expect.stringContaining('fallback') })
    expect(fallback).toHaveBeenCalledOnce()
    expect(await runHandler({}, sampleEvent('payout.failed'))).toEqual({ outcome: { state: 'unhandled' }, lines: [] })
  })

  it.each([
    ['be retried', new Error('no network'), 'pending'],
    ['be dead', new PermanentError('no such order'), 'dead'],
  ])('tells of what a handler threw, and that it is to %s', async (_what, thrown, state) => {
    const handlers: HandlerMap = { 'payout.failed': () => Promise.reject(thrown) }
    const { outcome, error } = await runHandler(handlers, sampleEvent('payout.failed'))
    expect(outcome).toMatchObject({ state, error: thrown.message })
    expect(error).toBe(thrown)
  })

  const retrieving: HandlerMap = {
    'payout.failed': async (event, ctx) => {
      const { id } = await ctx.stripe.payouts.retrieve(event.data.object.id)
      ctx.log.info({ objectId: id }, 'retrieved')
    },
    'v1.payout.failed': async (event) => void (await event.fetchRelatedObject()),
  }

  it("gives the test's own double as ctx.stripe, and says so when there is none", async () => {
    const stripe = { payouts: { retrieve: async () => ({ id: 'po_double' }) } }
    const { lines } = await runHandler(retrieving, sampleEvent('payout.failed'), { stripe })
    expect(lines).toMatchObject([{ level: 'info', msg: 'retrieved', objectId: 'po_double' }])
    const { outcome } = await runHandler(retrieving, sampleEvent('payout.failed'))
    expect(outcome).toEqual({ state: 'dead', error: expect.stringContaining('{ stripe }') })
  })

  it.each([sampleEvent('payout.failed'), sampleEvent('v1.payout.failed')])(
    'refuses a $type what needs an API key when there is none',
    async (event) => {
      const { outcome } = await runHandler(retrieving, event, { hasApiKey: false })
      expect(outcome).toEqual({ state: 'dead', error: expect.stringContaining('STRIPE_API_KEY') })
    },
  )

  it('gives what ctx.latest() fetches: of a snapshot from the double, of a thin event its own', async () => {
    const seen: unknown[] = []
    const handlers: HandlerMap = {
      'payout.failed': async (_event, ctx) => void seen.push(await ctx.latest()),
      'v1.payout.failed': async (_event, ctx) => void seen.push(await ctx.latest()),
    }
    const stripe = { payouts: { retrieve: async (id: string) => ({ id, object: 'payout', status: 'paid' }) } }
    const snapshot = sampleEvent('payout.failed')
    await runHandler(handlers, snapshot, { stripe })
    const thin = sampleEvent('v1.payout.failed')
    await runHandler(handlers, thin)
    expect(seen).toEqual([
      { id: snapshot.data.object.id, object: 'payout', status: 'paid' },
      await thin.fetchRelatedObject(),
    ])
    const gone = { payouts: { retrieve: async () => ({ id: 'po_1', object: 'payout', deleted: true }) } }
    await runHandler(handlers, snapshot, { stripe: gone })
    expect(seen.at(-1)).toBeUndefined()
    const { outcome } = await runHandler(handlers, snapshot)
    expect(outcome).toEqual({ state: 'dead', error: expect.stringContaining('ctx.latest()') })
  })

  it('tells a handler that its event is superseded when asked to, and not else', async () => {
    const handlers: HandlerMap = {
      'payout.failed': (_event, ctx) => ctx.log.info({ isSuperseded: ctx.isSuperseded }, 'seen'),
    }
    const event = sampleEvent('payout.failed')
    expect((await runHandler(handlers, event, { isSuperseded: true })).lines).toMatchObject([{ isSuperseded: true }])
    expect((await runHandler(handlers, event)).lines).toMatchObject([{ isSuperseded: false }])
  })

  it('takes an event of any version as it was captured, without a line about it', async () => {
    const event = sampleEvent('payout.failed', { api_version: '2018-05-21' })
    expect(event.api_version).not.toBe(Stripe.API_VERSION)
    expect(await runHandler({ 'payout.failed': () => {} }, event)).toMatchObject({ lines: [] })
  })
})
