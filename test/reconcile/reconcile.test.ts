import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseEnvelope } from '../../src/event/envelope.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { listableTypes, type ReconcileOptions, reconcileOnce } from '../../src/reconcile/reconcile.ts'
import { createStripeClients } from '../../src/stripe/client.ts'
import { newEntry } from '../support/new-entry.ts'
import { openScratchInbox } from '../support/scratch-inbox.ts'
import { accountInvalid, apiError, type StripeApiDouble, startStripeApiDouble } from '../support/stripe-api-double.ts'
import { type EventsAtStripe, secondsAgo, serveEvents, toJson } from './undelivered-events.ts'

const DAY_S = 86_400

let api: StripeApiDouble
let stripe: EventsAtStripe
let scratch: Awaited<ReturnType<typeof openScratchInbox>>
let inbox: Inbox
beforeEach(async () => {
  api = await startStripeApiDouble()
  stripe = serveEvents(api)
  scratch = await openScratchInbox()
  inbox = scratch.inbox
})
afterEach(async () => {
  const { problems } = api
  await api.close()
  await scratch.remove()
  expect(problems).toEqual([])
})

const run = (overrides: Partial<ReconcileOptions> = {}) =>
  reconcileOnce({
    inbox,
    clients: createStripeClients({ apiKey: api.key, apiBase: new URL(api.url), requestsPerSecond: 10_000 }),
    types: ['payout.failed', 'payout.paid'],
    mode: 'any',
    ...overrides,
  })

const tally = (undelivered: number, missing: number, added = missing) => ({ undelivered, missing, added })
const storedIds = async () => (await inbox.list({}, { limit: 1_000 })).map(({ eventId }) => eventId).toReversed()
const find = async (eventId: string) => {
  const found = await inbox.get(eventId)
  if (found === undefined) throw new Error(`expected ${eventId} in the inbox`)
  return found
}
/** A connected account that the inbox has seen. */
const know = (account: string, type = 'payout.paid') => inbox.add(newEntry({ account, type }))
/** From which time on each listing asked, in days before now. */
const daysBack = () =>
  stripe
    .listings()
    .map(({ query }) => Math.round(((secondsAgo(0) - Number(query.get('created[gte]'))) / DAY_S) * 10) / 10)

describe('what is missing', () => {
  it('is added as an entry like that of a delivery, but for where it came from', async () => {
    const event = stripe.add({ created: secondsAgo(60) })
    const { types, accounts, refusals } = await run()
    expect({ types: [...types], accounts, refusals }).toEqual({
      types: [['payout.failed', tally(1, 1)]],
      accounts: 1,
      refusals: [],
    })
    const { entry, body } = await find(event.id)
    expect(JSON.parse(Buffer.from(body ?? []).toString())).toEqual(toJson(event))
    expect(entry).toMatchObject({
      ...parseEnvelope(JSON.stringify(toJson(event))),
      state: 'pending',
      route: 'account',
      source: 'reconcile',
      secret: '',
      reason: null,
    })
  })

  it('is added to the lane that is chosen for it', async () => {
    const event = stripe.add({ created: secondsAgo(60), account: 'acct_1' })
    await run({
      account: 'acct_1',
      chooseLane: ({ account, type }, body) => `${account}/${type}/${JSON.parse(body.toString()).id}`,
    })
    expect((await find(event.id)).entry.lane).toBe(`acct_1/${event.type}/${event.id}`)
  })

  it('is added oldest first', async () => {
    const ages = [50, 40, 30, 20, 10]
    const ids = ages.map((age, index) =>
      stripe.add({ created: secondsAgo(age), type: index % 2 ? 'payout.paid' : 'payout.failed' }),
    )
    await run()
    expect(await storedIds()).toEqual(ids.map(({ id }) => id))
  })

  it('is what the inbox does not have: a delivered one stays as it is, and a later delivery is a duplicate', async () => {
    const [here, gone] = [stripe.add(), stripe.add({ type: 'payout.paid' })]
    await inbox.add(newEntry({ eventId: here.id, body: Buffer.from('as delivered') }))
    const { types } = await run()
    expect(Object.fromEntries(types)).toEqual({ 'payout.failed': tally(1, 0), 'payout.paid': tally(1, 1) })
    const { entry, body } = await find(here.id)
    expect([entry.source, Buffer.from(body ?? []).toString()]).toEqual(['delivery', 'as delivered'])
    expect(await inbox.add(newEntry({ eventId: gone.id }))).toBe('duplicate')
    expect((await find(gone.id)).entry.source).toBe('reconcile')
  })

  it('is added once by two runs at the same time', async () => {
    for (let age = 150; age > 0; age -= 1) stripe.add({ created: secondsAgo(age) })
    const results = await Promise.all([run(), run()])
    const added = results.map(({ types }) => types.get('payout.failed')?.added ?? 0)
    expect((added[0] ?? 0) + (added[1] ?? 0)).toBe(150)
    expect(await storedIds()).toHaveLength(150)
  })

  it('is parked when it is of the other mode', async () => {
    const event = stripe.add()
    await run({ mode: 'live' })
    expect((await find(event.id)).entry).toMatchObject({
      state: 'parked',
      reason: 'test event on a live server (STRIPE_MODE)',
    })
  })

  it('of no type is nothing, without asking', async () => {
    stripe.add()
    expect((await run({ types: [] })).accounts).toBe(0)
    expect(api.requests).toEqual([])
  })
})

describe('connected accounts', () => {
  it("are each asked for, and their events become that account's", async () => {
    await know('acct_1')
    await know('acct_2')
    const event = stripe.add({ account: 'acct_2' })
    const { accounts } = await run()
    expect(accounts).toBe(3)
    expect(stripe.listings().map(({ account }) => account)).toEqual([null, 'acct_1', 'acct_2'])
    const { entry, body } = await find(event.id)
    expect(entry).toMatchObject({ account: 'acct_2', route: 'connect', lane: `acct_2/po_${event.id}` })
    expect(JSON.parse(Buffer.from(body ?? []).toString())).toMatchObject({ account: 'acct_2' })
  })

  it('are left out once deauthorized, until they are authorized again', async () => {
    await know('acct_1')
    await know('acct_1', 'account.application.deauthorized')
    await run()
    expect(stripe.listings().map(({ account }) => account)).toEqual([null])
    await know('acct_1', 'account.application.authorized')
    await run()
    expect(stripe.listings().map(({ account }) => account)).toEqual([null, null, 'acct_1'])
  })

  it('can be asked for one alone', async () => {
    const event = stripe.add({ account: 'acct_9' })
    stripe.add()
    await run({ account: 'acct_9' })
    expect(stripe.listings().map(({ account }) => account)).toEqual(['acct_9'])
    expect(await storedIds()).toEqual([event.id])
  })
})

describe('the checkpoint', () => {
  it('is at first as far back as Stripe lists, and then the last run, less the time that deliveries may fail later', async () => {
    await run()
    await run()
    expect(daysBack()).toEqual([30, 4])
  })

  it('is one for each account', async () => {
    await run()
    await know('acct_1')
    await run()
    expect(daysBack()).toEqual([30, 4, 30])
  })

  it('finds an event whose delivery failed for good only after later ones were recovered', async () => {
    const late = stripe.add({ created: secondsAgo(3 * DAY_S), isDelivered: true })
    const early = stripe.add({ created: secondsAgo(60) })
    await run()
    expect(await storedIds()).toEqual([early.id])
    late.isDelivered = false
    await run()
    expect(await storedIds()).toEqual([early.id, late.id])
  })

  it('stays where a refused run stopped, and the next one goes on from there', async () => {
    const ages = Array.from({ length: 350 }, (_, index) => 20 * DAY_S - index * 3_600)
    for (const age of ages) stripe.add({ created: secondsAgo(age) })
    refuseListing(6)
    const { refusals } = await run()
    expect(refusals).toMatchObject([{ account: null, isAccountGone: false }])
    expect(await storedIds()).toHaveLength(100)
    const listedBefore = stripe.listings().length
    await run()
    expect(await storedIds()).toHaveLength(350)
    // The hundredth event, and four days before it.
    expect(daysBack()[listedBefore]).toBeCloseTo(20 - 99 / 24 + 4, 0)
  })

  it('moves no further than the grace, so that the next run sees what this one left out', async () => {
    const event = stripe.add({ created: secondsAgo(30) })
    await run({ graceMs: 60_000 })
    expect(await storedIds()).toEqual([])
    expect(Date.parse((await inbox.readNote('reconciled platform')) ?? '')).toBeLessThanOrEqual(Date.now() - 60_000)
    await run()
    expect(await storedIds()).toEqual([event.id])
  })

  it('is neither used nor moved by a run that is told how far back to look', async () => {
    await run({ sinceMs: 3 * DAY_S * 1_000 })
    expect(await inbox.readNote('reconciled platform')).toBeNull()
    await run()
    const note = await inbox.readNote('reconciled platform')
    await run({ sinceMs: 60_000 })
    expect(await inbox.readNote('reconciled platform')).toBe(note)
    expect(daysBack()).toEqual([3, 30, 0])
  })

  /** Refuses the listing of that number, and serves those before and after. */
  function refuseListing(number: number): void {
    const isIt = () => stripe.listings().length === number
    api.route('GET', '/v1/events', (request) =>
      isIt() ? apiError(400, { message: 'broken' }) : stripe.answer(request),
    )
  }
})

describe('a dry run', () => {
  it('tells what is missing, and changes nothing', async () => {
    const here = stripe.add()
    stripe.add()
    await inbox.add(newEntry({ eventId: here.id }))
    const { types } = await run({ isDryRun: true })
    expect(Object.fromEntries(types)).toEqual({ 'payout.failed': tally(2, 1, 0) })
    expect(await storedIds()).toEqual([here.id])
    expect(await inbox.readNote('reconciled platform')).toBeNull()
  })
})

describe('a refusal', () => {
  const refuse = (account: string | null, answer: ReturnType<typeof apiError>) =>
    api.route('GET', '/v1/events', (request) =>
      (request.headers['stripe-account'] ?? null) === account ? answer : stripe.answer(request),
    )

  it('of an account that left says so, and the others go on', async () => {
    await know('acct_1')
    await know('acct_2')
    const event = stripe.add({ account: 'acct_2' })
    refuse('acct_1', accountInvalid('acct_1'))
    const { accounts, refusals } = await run()
    expect(accounts).toBe(2)
    expect(refusals).toEqual([
      {
        account: 'acct_1',
        message: expect.stringContaining('acct_1 is not connected to the platform'),
        isAccountGone: true,
        isForAllAccounts: false,
      },
    ])
    expect(await find(event.id)).toBeDefined()
  })

  it.each([
    ['the key', 401, 'Stripe does not take STRIPE_API_KEY (401)'],
    ['the right to read events', 403, 'read access to Events'],
  ])('of %s says what to do, and ends the run', async (_name, status, message) => {
    await know('acct_1')
    refuse(null, apiError(status, { message: 'Invalid API Key provided: sk_test_****1234' }))
    const { accounts, refusals } = await run()
    expect({ accounts, refusals }).toMatchObject({ accounts: 0, refusals: [{ account: null, isAccountGone: false }] })
    expect(refusals[0]?.message).toContain(message)
    expect(stripe.listings()).toHaveLength(1)
  })

  it('of the inbox rejects', async () => {
    stripe.add()
    const broken = { ...inbox, add: () => Promise.reject(new Error('disk full')) }
    await expect(run({ inbox: broken })).rejects.toThrow('disk full')
    expect(await inbox.readNote('reconciled platform')).toBeNull()
  })
})

it('looks for the snapshot types of the map that the SDK knows', () => {
  const handler = () => undefined
  const map = { 'payout.failed': handler, 'v1.payout.failed': handler, 'made.up': handler, 'account.updated': handler }
  expect(listableTypes(map)).toEqual(['account.updated', 'payout.failed'])
})

it('tells its progress, once for each hundred events', async () => {
  for (let age = 250; age > 0; age -= 1) stripe.add({ created: secondsAgo(age) })
  const told: number[] = []
  await run({ onProgress: (types) => told.push(types.get('payout.failed')?.added ?? 0) })
  expect(told).toEqual([100, 200, 250])
})
