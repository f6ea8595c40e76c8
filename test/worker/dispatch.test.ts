import Stripe from 'stripe'
import { describe, expect, it, vi } from 'vitest'
import { PermanentError } from '../../src/errors.ts'
import { parseEnvelope } from '../../src/event/envelope.ts'
import type { FallbackContext, HandlerMap, Handlers, Lease } from '../../src/event.ts'
import { createStripeClients } from '../../src/stripe/client.ts'
import { createDispatch } from '../../src/worker/dispatch.ts'
import { eventually } from '../support/eventually.ts'
import { captureLog } from '../support/log-lines.ts'
import { newEntry } from '../support/new-entry.ts'
import { snapshotJson, thinJson } from '../support/sign.ts'
import { type StripeApiDouble, startStripeApiDouble } from '../support/stripe-api-double.ts'

const never = new AbortController().signal

function leaseOf(json: string, attempt = 1): Lease {
  const entry = { ...newEntry(), ...parseEnvelope(json), receivedAt: new Date() }
  const found = { handledTwin: null, isSuperseded: false, isForwarded: false, lastFailure: 'still broken' }
  return { entry, body: Buffer.from(json), attempt, ...found, token: '1' }
}

type SetUp = { timeoutMs?: number; overrunMs?: number; api?: StripeApiDouble; twins?: 'one' | 'both' }

async function setUp(handlers: Handlers, { timeoutMs = 5_000, overrunMs = 60_000, api, twins = 'one' }: SetUp = {}) {
  const captured = await captureLog()
  const stuck: string[] = []
  let overrunning = 0
  const events = createStripeClients({ apiKey: api?.key, apiBase: api && new URL(api.url) })
  const dispatch = createDispatch({
    handlers,
    events,
    log: captured.log,
    timeoutMs,
    overrunMs,
    onOverrunning: (change) => {
      overrunning += change
    },
    onStuck: ({ entry }) => stuck.push(entry.eventId),
    maxAttempts: 3,
    twins,
    random: () => 0.5,
  })
  return { dispatch, stuck, overrunning: () => overrunning, ...captured }
}

const only = (handler: (event: unknown, ctx: FallbackContext) => unknown): Handlers => ({
  // A test's handler takes anything; the cast spares each of them a type.
  map: { 'payment_intent.succeeded': handler, 'v1.payment_intent.succeeded': handler } as HandlerMap,
})

describe('dispatch', () => {
  it.each([
    ['snapshot', snapshotJson()],
    ['thin', thinJson()],
  ])('hands a %s event to the handler of its type', async (_shape, json) => {
    const handler = vi.fn()
    const { dispatch } = await setUp(only(handler))
    expect(await dispatch(leaseOf(json), never)).toEqual({ outcome: { state: 'handled' } })
    expect(handler.mock.calls[0]?.[0]).toMatchObject({ id: JSON.parse(json).id, type: JSON.parse(json).type })
  })

  it('gives a context of the entry', async () => {
    const handler = vi.fn((_event: unknown, ctx: FallbackContext) => ctx.log.info('said'))
    const { dispatch, lines } = await setUp(only(handler))
    const lease = leaseOf(snapshotJson({ account: 'acct_1' }), 2)
    await dispatch(lease, never)
    const ctx = handler.mock.calls[0]?.[1]
    expect(ctx).toMatchObject({
      attempt: 2,
      hasApiKey: false,
      idempotencyKey: lease.entry.eventId,
      known: true,
      entry: { account: 'acct_1' },
    })
    expect(lines()).toMatchObject([
      { msg: 'said', eventId: lease.entry.eventId, type: lease.entry.type, account: 'acct_1' },
    ])
  })

  it.each([
    ['a connected account', snapshotJson({ account: 'acct_1' }), { 'stripe-account': 'acct_1' }],
    ["a thin event's context", thinJson({ context: 'acct_1' }), { 'stripe-context': 'acct_1' }],
    ['the platform', snapshotJson(), {}],
    ['the platform, over a thin event', thinJson(), {}],
  ])('lends a client that acts for %s', async (_whom, json, bound) => {
    const api = await startStripeApiDouble()
    api.route('GET', '/v1/balance', () => ({ body: { object: 'balance' } }))
    const { dispatch } = await setUp(
      only((_event, ctx) => ctx.stripe.balance.retrieve()),
      { api },
    )
    const { outcome } = await dispatch(leaseOf(json), never)
    const sent = api.requests.map(({ headers }) =>
      Object.fromEntries(Object.entries(headers).filter(([name]) => /^stripe-(account|context)$/.test(name))),
    )
    const { problems } = api
    await api.close()
    expect({ outcome, sent, problems }).toEqual({ outcome: { state: 'handled' }, sent: [bound], problems: [] })
  })

  it.each([
    ['snapshot', snapshotJson({ account: 'acct_1' })],
    ['thin', thinJson({ context: 'acct_1' })],
  ])('fetches the object of a %s event as it is now', async (_shape, json) => {
    const api = await startStripeApiDouble()
    api.route('GET', /^\/v1\/payment_intents\/pi_\w+$/, () => ({
      body: { object: 'payment_intent', status: 'canceled' },
    }))
    const seen: unknown[] = []
    const { dispatch } = await setUp(
      only(async (_event, ctx) => void seen.push(await ctx.latest())),
      { api },
    )
    const { outcome } = await dispatch(leaseOf(json), never)
    const { problems } = api
    await api.close()
    expect({ outcome, problems }).toEqual({ outcome: { state: 'handled' }, problems: [] })
    expect(seen).toMatchObject([{ status: 'canceled' }])
  })

  it('ends a fetch of the object with the attempt', async () => {
    const api = await startStripeApiDouble()
    api.route('GET', /^\/v1\//, () => 'hang')
    const { dispatch } = await setUp(
      only((_event, ctx) => ctx.latest()),
      { api, timeoutMs: 50 },
    )
    const { outcome } = await dispatch(leaseOf(snapshotJson()), never)
    expect(outcome).toMatchObject({ state: 'pending', error: expect.stringContaining('HANDLER_TIMEOUT_MS') })
    await eventually('the request to end', async () => api.requests[0]?.isAborted())
    await api.close()
  })

  it.each([true, false])('tells whether a newer event of the object was handled: %s', async (isSuperseded) => {
    const seen: boolean[] = []
    const { dispatch } = await setUp(only((_event, ctx) => void seen.push(ctx.isSuperseded)))
    await dispatch({ ...leaseOf(snapshotJson()), isSuperseded }, never)
    expect(seen).toEqual([isSuperseded])
  })

  it('bounds what a handler may say of its failure', async () => {
    const { dispatch } = await setUp(
      only(() => {
        throw new Error('x'.repeat(1_000_000))
      }),
    )
    const { outcome } = await dispatch(leaseOf(snapshotJson()), never)
    expect('error' in outcome && outcome.error).toHaveLength(2_000)
  })

  it('settles a type without a handler as unhandled', async () => {
    const { dispatch } = await setUp({ map: {} })
    expect((await dispatch(leaseOf(snapshotJson()), never)).outcome).toEqual({ state: 'unhandled' })
  })

  it('settles it as handled where a target takes it, so that nobody looks for it here', async () => {
    const { dispatch } = await setUp({ map: {} })
    const { outcome } = await dispatch({ ...leaseOf(snapshotJson()), isForwarded: true }, never)
    expect(outcome).toEqual({ state: 'handled', reason: 'forwarded: its type has no handler' })
  })

  it.each([
    ['payout.paid', true],
    ['invoice.imaginary', false],
    ['constructor', false],
    ['__proto__', false],
    ['toString', false],
    ['v2.core.health.event_generation_failure.resolved', false],
  ])('hands %s to the fallback, and tells whether the SDK knows it', async (type, known) => {
    const fallback = vi.fn()
    const { dispatch } = await setUp({ map: {}, fallback })
    const json = type.startsWith('v2.') ? thinJson({ type }) : snapshotJson({ type })
    const { outcome } = await dispatch(leaseOf(json), never)
    // With a reason, so that a twin with a handler of its own is not suppressed.
    expect(outcome).toEqual({ state: 'handled', reason: expect.stringContaining('fallback') })
    expect(fallback.mock.calls[0]).toMatchObject([{ type }, { known }])
  })

  it.each([
    [
      'an Error',
      () => {
        throw new Error('no network')
      },
      'no network',
    ],
    [
      'a string',
      () => {
        throw 'text'
      },
      'text',
    ],
    [
      'undefined',
      () => {
        throw undefined
      },
      'undefined',
    ],
    ['a rejection', () => Promise.reject(new Error('later')), 'later'],
  ])('retries a handler that throws %s', async (_what, handler, error) => {
    const { dispatch } = await setUp(only(handler))
    expect((await dispatch(leaseOf(snapshotJson()), never)).outcome).toEqual({
      state: 'pending',
      retryInMs: 10_000,
      error,
    })
    expect((await dispatch(leaseOf(snapshotJson(), 2), never)).outcome).toMatchObject({
      state: 'pending',
      retryInMs: 30_000,
    })
  })

  it.each([
    [1, '90', 90_000],
    [1, '2', 10_000],
    [2, '25', 30_000],
  ])(
    'retries attempt %i that a rate limit refused for %s s no sooner than that, nor than any other',
    async (attempt, seconds, retryInMs) => {
      const refusal = Object.assign(new Error('slow'), { statusCode: 429, headers: { 'retry-after': seconds } })
      const { dispatch } = await setUp(only(() => Promise.reject(refusal)))
      const { outcome } = await dispatch(leaseOf(snapshotJson(), attempt), never)
      expect(outcome).toEqual({ state: 'pending', retryInMs, error: 'slow' })
    },
  )

  it('gives up after the last attempt', async () => {
    const { dispatch } = await setUp(only(() => Promise.reject(new Error('still broken'))))
    expect((await dispatch(leaseOf(snapshotJson(), 3), never)).outcome).toEqual({
      state: 'dead',
      error: 'still broken',
    })
  })

  it('does not run an entry that has no attempt left, and says what the last one failed with', async () => {
    const handler = vi.fn()
    const { dispatch } = await setUp(only(handler))
    expect((await dispatch(leaseOf(snapshotJson(), 4), never)).outcome).toEqual({
      state: 'dead',
      error: '3 attempts (MAX_ATTEMPTS), the last: still broken',
    })
    expect(handler).not.toHaveBeenCalled()
  })

  it.each([
    ['PermanentError', new PermanentError('no such order')],
    ['an error of that name from elsewhere', Object.assign(new Error('no such order'), { name: 'PermanentError' })],
  ])('is dead at once on %s', async (_what, error) => {
    const { dispatch } = await setUp(only(() => Promise.reject(error)))
    expect((await dispatch(leaseOf(snapshotJson()), never)).outcome).toEqual({ state: 'dead', error: 'no such order' })
  })

  it('tells a handler to end at its time limit, and fails the attempt once it does', async () => {
    const { dispatch, overrunning } = await setUp(
      only((_event, ctx) => new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve()))),
      { timeoutMs: 20 },
    )
    const { outcome } = await dispatch(leaseOf(snapshotJson()), never)
    expect(outcome).toMatchObject({ state: 'pending', error: expect.stringContaining('20 ms') })
    expect(overrunning()).toBe(0)
  })

  it.each<[string, (gate: PromiseWithResolvers<void>) => void]>([
    ['returns', ({ resolve }) => resolve()],
    ['throws', ({ reject }) => reject(new Error('too late'))],
  ])('waits for a handler that goes on after its limit, until it %s', async (_how, end) => {
    const gate = Promise.withResolvers<void>()
    const { dispatch, overrunning, lines } = await setUp(
      only(() => gate.promise),
      { timeoutMs: 20 },
    )
    let isOver = false
    const ending = dispatch(leaseOf(snapshotJson()), never).finally(() => {
      isOver = true
    })
    await eventually('the limit', () => overrunning() === 1)
    expect(lines().map(({ msg }) => msg)).toEqual([expect.stringContaining('keeps its place')])
    await new Promise(setImmediate)
    expect(isOver).toBe(false)
    end(gate)
    expect((await ending).outcome).toMatchObject({ state: 'pending', error: expect.stringContaining('20 ms') })
    expect(overrunning()).toBe(0)
  })

  it('tells of a handler that never ends, and fails its attempt when the process stops', async () => {
    const shutdown = new AbortController()
    const { dispatch, stuck } = await setUp(
      only(() => new Promise(() => {})),
      { timeoutMs: 10, overrunMs: 10 },
    )
    const lease = leaseOf(snapshotJson())
    const ending = dispatch(lease, shutdown.signal)
    await eventually('it to be stuck', () => stuck.length === 1)
    expect(stuck).toEqual([lease.entry.eventId])
    shutdown.abort()
    const { outcome } = await ending
    expect(outcome).toMatchObject({ state: 'pending', error: expect.stringContaining('10 ms') })
    expect(outcome).not.toMatchObject({ retryInMs: 0 })
  })

  it('survives listeners on its signal that throw, and removes those that are taken off', async () => {
    const heard: string[] = []
    const { dispatch, lines } = await setUp(
      only((_event, { signal }) => {
        const removed = () => heard.push('removed')
        signal.addEventListener('abort', removed)
        signal.removeEventListener('abort', removed)
        signal.addEventListener('abort', () => {
          throw new Error('of a listener')
        })
        signal.onabort = () => {
          throw new Error('of onabort')
        }
        signal.addEventListener('abort', { handleEvent: () => void heard.push('object') })
        return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      }),
      { timeoutMs: 10 },
    )
    expect((await dispatch(leaseOf(snapshotJson()), never)).outcome.state).toBe('pending')
    expect(heard).toEqual(['object'])
    const messages = lines().flatMap(({ err }) => (err ? [(err as { message: string }).message] : []))
    expect(messages).toEqual(['of a listener', 'of onabort'])
  })

  it('survives what a handler throws, whatever it is', async () => {
    const trap = () => {
      throw new Error('of a trap')
    }
    const hostile = new Proxy({}, { get: trap, getPrototypeOf: trap, has: trap, ownKeys: trap })
    const { dispatch } = await setUp(only(() => Promise.reject(hostile)))
    expect((await dispatch(leaseOf(snapshotJson()), never)).outcome).toMatchObject({
      state: 'pending',
      error: expect.any(String),
    })
  })

  it('gives facts that a handler cannot change', async () => {
    const { dispatch } = await setUp(
      only((_event, { entry }) => {
        Object.assign(entry, { lane: '/other' })
      }),
    )
    const lease = leaseOf(snapshotJson())
    const { lane } = lease.entry
    expect((await dispatch(lease, never)).outcome).toMatchObject({ error: expect.stringContaining('lane') })
    expect(lease.entry.lane).toBe(lane)
  })

  it('counts a handler that blocked past its limit and then returned as handled', async () => {
    const { dispatch } = await setUp(
      only(() => {
        const end = performance.now() + 60
        while (performance.now() < end);
      }),
      { timeoutMs: 20 },
    )
    expect((await dispatch(leaseOf(snapshotJson()), never)).outcome).toEqual({ state: 'handled' })
  })

  it('cuts off at shutdown, to be retried at once', async () => {
    const shutdown = new AbortController()
    let signal: AbortSignal | undefined
    const { dispatch } = await setUp(
      only((_event, ctx) => {
        signal = ctx.signal
        return new Promise(() => {})
      }),
    )
    const ending = dispatch(leaseOf(snapshotJson()), shutdown.signal)
    shutdown.abort()
    expect((await ending).outcome).toMatchObject({ state: 'pending', retryInMs: 0 })
    expect(signal?.aborted).toBe(true)
  })

  it('makes a handler that needs Stripe dead without an API key, and says what to set', async () => {
    const { dispatch } = await setUp(only((_event, ctx) => ctx.stripe.balance.retrieve()))
    expect((await dispatch(leaseOf(snapshotJson()), never)).outcome).toMatchObject({
      state: 'dead',
      error: expect.stringContaining('STRIPE_API_KEY'),
    })
    const fetching = await setUp(
      only((event) => (event as { fetchRelatedObject(): Promise<unknown> }).fetchRelatedObject()),
    )
    expect((await fetching.dispatch(leaseOf(thinJson()), never)).outcome).toMatchObject({
      state: 'dead',
      error: expect.stringContaining('STRIPE_API_KEY'),
    })
  })

  it('settles an event whose twin was handled without its handler, unless both are wanted', async () => {
    const handler = vi.fn()
    const lease = { ...leaseOf(snapshotJson()), handledTwin: 'evt_twin' }
    const one = await setUp(only(handler))
    expect((await one.dispatch(lease, never)).outcome).toEqual({
      state: 'handled',
      reason: expect.stringContaining('evt_twin'),
    })
    expect(handler).not.toHaveBeenCalled()
    const both = await setUp(only(handler), { twins: 'both' })
    expect((await both.dispatch(lease, never)).outcome).toEqual({ state: 'handled' })
    expect(handler).toHaveBeenCalledOnce()
  })

  it('handles by a built-in handler that yields, with a reason: its twin still reaches the own handler', async () => {
    const handler = vi.fn()
    const { dispatch } = await setUp({ ...only(handler), yielding: new Set(['v1.payment_intent.succeeded']) })
    expect((await dispatch(leaseOf(thinJson()), never)).outcome).toEqual({
      state: 'handled',
      reason: expect.stringContaining('built-in'),
    })
    expect((await dispatch(leaseOf(snapshotJson()), never)).outcome).toEqual({ state: 'handled' })
    expect(handler).toHaveBeenCalledTimes(2)
  })

  it('settles what a built-in handler that yields is for without it, when the twin was handled', async () => {
    const handler = vi.fn()
    const { dispatch } = await setUp({ ...only(handler), yielding: new Set(['v1.payment_intent.succeeded']) })
    const { outcome } = await dispatch({ ...leaseOf(thinJson()), handledTwin: 'evt_twin' }, never)
    expect(outcome).toEqual({ state: 'handled', reason: expect.stringContaining('evt_twin') })
    expect(handler).not.toHaveBeenCalled()
  })

  it('warns once of each API version of another name than the SDK’s, and handles the events', async () => {
    const { dispatch, lines } = await setUp(only(() => undefined))
    const sameMajor = `2020-01-01.${Stripe.MAJOR_API_VERSION}`
    for (const api_version of ['2020-08-27', '2020-08-27', '2019-01-01', null, sameMajor]) {
      expect((await dispatch(leaseOf(snapshotJson({ api_version })), never)).outcome.state).toBe('handled')
    }
    expect(lines().map(({ level, apiVersion }) => [level, apiVersion])).toEqual([
      [40, '2020-08-27'],
      [40, '2019-01-01'],
    ])
  })
})
