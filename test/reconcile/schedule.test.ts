import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { openSqliteInbox } from '../../src/inbox/sqlite/inbox.ts'
import { type Reconciling, type ReconcilingOptions, startReconciling } from '../../src/reconcile/schedule.ts'
import { createStripeClients } from '../../src/stripe/client.ts'
import { eventually } from '../support/eventually.ts'
import { captureLog } from '../support/log-lines.ts'
import { newEntry } from '../support/new-entry.ts'
import { makeScratch } from '../support/scratch.ts'
import { accountInvalid, apiError, type StripeApiDouble, startStripeApiDouble } from '../support/stripe-api-double.ts'
import { type EventsAtStripe, secondsAgo, serveEvents } from './events-at-stripe.ts'

let api: StripeApiDouble
let stripe: EventsAtStripe
let scratch: Awaited<ReturnType<typeof makeScratch>>
let inboxes: Inbox[]
let running: Reconciling[]
let captured: Awaited<ReturnType<typeof captureLog>>
beforeEach(async () => {
  api = await startStripeApiDouble()
  stripe = serveEvents(api)
  scratch = await makeScratch()
  inboxes = [await openSqliteInbox(`${scratch.path}/inbox.db`, 'server')]
  running = []
  captured = await captureLog()
})
afterEach(async () => {
  for (const each of running) await each.stop()
  for (const each of inboxes) await each.close()
  const { problems } = api
  await api.close()
  await scratch.remove()
  expect(problems).toEqual([])
})

const HOUR_MS = 3_600_000
const NO_RETRY = { 'stripe-should-retry': 'false' }

/** The inbox as another process has it. */
async function openBeside(): Promise<Inbox> {
  const inbox = await openSqliteInbox(`${scratch.path}/inbox.db`, 'command')
  inboxes.push(inbox)
  return inbox
}

/** The inbox of the server. */
function own(): Inbox {
  const [inbox] = inboxes
  if (inbox === undefined) throw new Error('no inbox is open')
  return inbox
}

function start(overrides: Partial<ReconcilingOptions> = {}): Reconciling {
  const clients = createStripeClients({ apiKey: api.key, apiBase: new URL(api.url), requestsPerSecond: 10_000 })
  const options = {
    inbox: own(),
    clients,
    taking: { map: { 'payout.failed': () => undefined } },
    arrival: { mode: 'any', searchFields: [] },
    log: captured.log,
    everyMs: HOUR_MS,
  } as const
  const reconciling = startReconciling({ ...options, ...overrides })
  running.push(reconciling)
  return reconciling
}

const lines = (message: string) => captured.lines().filter(({ msg }) => msg === message)
const runs = (count: number) =>
  eventually(`run ${count}`, () => lines('reconciled with Stripe').length >= count && lines('reconciled with Stripe'))
const isAdded = (id: string) => eventually(`${id} to be added`, async () => (await inboxes[0]?.get(id)) !== undefined)

describe('runs', () => {
  it('at the start, also of what happened just now, and says what it did', async () => {
    const event = stripe.add()
    const told: unknown[] = []
    start({ onReconciled: (run) => told.push(run) })
    const [line] = await runs(1)
    await isAdded(event.id)
    expect(line).toMatchObject({ undelivered: 1, added: 1, types: { 'payout.failed': 1 }, accounts: 1 })
    const types = new Map([['payout.failed', { found: 1, missing: 1, added: 1 }]])
    expect(told).toEqual([{ types, undelivered: 1, isComplete: true }])
  })

  it('again after each interval, then without what is probably being delivered', async () => {
    start({ everyMs: 20 })
    await runs(1)
    const [young, old] = [stripe.add(), stripe.add({ created: secondsAgo(90) })]
    await isAdded(old.id)
    await runs(lines('reconciled with Stripe').length + 1)
    expect(await inboxes[0]?.get(young.id)).toBeUndefined()
  })

  it('again after a run that failed', async () => {
    let failures = 2
    const inbox = own()
    const accounts = () => (failures-- > 0 ? Promise.reject(new Error('disk full')) : inbox.accounts())
    start({ everyMs: 20, inbox: { ...inbox, accounts } })
    await runs(1)
    expect(lines('reconcile failed; will try again')).toHaveLength(2)
  })
})

describe('looks at', () => {
  const asked = (account: string | null) => stripe.listings().filter((listing) => listing.account === account).length

  it('nothing, without a word, while no account is due', async () => {
    const inbox = own()
    let rounds = 0
    const accounts = () => {
      rounds += 1
      return inbox.accounts()
    }
    start({ everyMs: 20, inbox: { ...inbox, accounts } })
    // After 20 ms, 40, and 80 from then on: three rounds of four pass without a look.
    await eventually('rounds without a look', () => rounds > 2 * asked(null) + 2)
    await eventually('a line for each look', () => lines('reconciled with Stripe').length === asked(null))
  })

  it('the others while one is slow, which it comes back to', async () => {
    const inbox = own()
    for (const account of ['acct_1', 'acct_2']) await inbox.add(newEntry({ account }))
    api.route('GET', '/v1/events', (request) =>
      request.headers['stripe-account'] === 'acct_1'
        ? apiError(429, { message: 'slow' }, NO_RETRY)
        : stripe.answer(request),
    )
    start({ everyMs: 20 })
    const event = stripe.add({ account: 'acct_2', created: secondsAgo(90) })
    await isAdded(event.id)
    await eventually('another look at the slow one', () => asked('acct_1') >= 3)
    expect(lines('reconcile was refused; will try again')).toContainEqual(
      expect.objectContaining({ account: 'acct_1', level: 50 }),
    )
  })
})

describe('of several processes', () => {
  it('one runs at a time, each at its start', async () => {
    let now = 0
    let most = 0
    api.route('GET', '/v1/events', async (request) => {
      now += 1
      most = Math.max(most, now)
      await delay(30)
      now -= 1
      return stripe.answer(request)
    })
    for (let process = 0; process < 3; process += 1) start({ inbox: await openBeside(), everyMs: 50 })
    await eventually('their runs', () => stripe.listings().length >= 3)
    expect(most).toBe(1)
  })

  it('one runs in each interval', async () => {
    const everyMs = 100
    const sinceLastMs: number[] = []
    api.route('GET', '/v1/events', async (request) => {
      sinceLastMs.push(Date.now() - Date.parse((await inboxes[0]?.readNote('reconcile finished')) ?? ''))
      return stripe.answer(request)
    })
    start({ everyMs })
    await runs(1)
    start({ inbox: await openBeside(), everyMs })
    await runs(6)
    // But for the second one's start never two within an interval, as each of the two for itself would make.
    const early = sinceLastMs.slice(1).filter((gapMs) => gapMs < everyMs * 0.9)
    expect(early.length).toBeLessThanOrEqual(1)
  })

  it('another takes over at once when one stops in a run', async () => {
    api.route('GET', '/v1/events', () => 'hang')
    const first = start()
    await eventually('a listing', () => stripe.listings().length > 0)
    await first.stop()
    expect(lines('reconciled with Stripe')).toEqual([])
    api.route('GET', '/v1/events', stripe.answer)
    start({ inbox: await openBeside() })
    await runs(1)
  })
})

describe('says', () => {
  it('once that an account has left', async () => {
    const inbox = own()
    await inbox.add(newEntry({ account: 'acct_1' }))
    api.route('GET', '/v1/events', (request) =>
      request.headers['stripe-account'] === 'acct_1' ? accountInvalid('acct_1') : stripe.answer(request),
    )
    const complete: boolean[] = []
    start({ everyMs: 20, onReconciled: ({ isComplete }) => complete.push(isComplete) })
    await runs(3)
    expect(lines('account no longer connected')).toMatchObject([{ level: 40, account: 'acct_1' }])
    expect(complete.slice(0, 3)).toEqual([true, true, true])
  })

  it('what the thin types are that Stripe does not list, once', async () => {
    api.route('GET', '/v2/core/events', () => apiError(400, { message: 'Odd type' }))
    const complete: boolean[] = []
    start({
      everyMs: 20,
      taking: { map: { 'v1.payout.failed': () => undefined } },
      onReconciled: ({ isComplete }) => complete.push(isComplete),
    })
    await runs(3)
    expect(lines('Stripe does not list these thin events')).toMatchObject([
      { level: 40, types: ['v1.payout.failed'], reason: expect.stringContaining('Odd type') },
    ])
    expect(complete.slice(0, 3)).toEqual([true, true, true])
  })

  it('what the key lacks to read destinations, and goes on without them', async () => {
    api.route('GET', '/v2/core/event_destinations', () => apiError(403, { message: 'no' }))
    const event = stripe.add()
    start()
    await isAdded(event.id)
    expect(lines('destinations cannot be read: looking for all types, but thin twins')).toMatchObject([
      { level: 40, reason: expect.stringContaining('Event Destinations: Read') },
    ])
  })

  it('what to do about a refused key, without the key', async () => {
    api.route('GET', '/v1/events', () => apiError(401, { message: `Invalid API Key provided: ${api.key}` }))
    const complete: boolean[] = []
    start({ onReconciled: ({ isComplete }) => complete.push(isComplete) })
    await runs(1)
    expect(lines('reconcile was refused; will try again')).toMatchObject([
      { level: 50, account: null, reason: expect.stringContaining('STRIPE_API_KEY (401)') },
    ])
    expect(complete).toEqual([false])
    expect(captured.text()).not.toContain(api.key)
  })
})
