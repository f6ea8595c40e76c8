import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseEnvelope } from '../../src/event/envelope.ts'
import type { NewEntry } from '../../src/event.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { type ReconcileOptions, reconcileOnce } from '../../src/reconcile/reconcile.ts'
import type { ShapedTypes, WantedTypes } from '../../src/reconcile/wanted-types.ts'
import { createStripeClients } from '../../src/stripe/client.ts'
import { newEntry } from '../support/new-entry.ts'
import { openScratchInbox } from '../support/scratch-inbox.ts'
import { accountInvalid, apiError, type StripeApiDouble, startStripeApiDouble } from '../support/stripe-api-double.ts'
import {
  type EventsAtStripe,
  isoAgo,
  secondsAgo,
  serveEvents,
  toJson,
  toThinJson,
  typesOf,
} from './events-at-stripe.ts'

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
    types: bothSides({ snapshot: ['payout.failed', 'payout.paid'] }),
    arrival: { mode: 'any', searchFields: [] },
    ...overrides,
  })

const bothSides = ({ snapshot = [], thin = [] }: Partial<ShapedTypes>): WantedTypes => ({
  account: { snapshot, thin },
  connect: { snapshot, thin },
})
const tally = (found: number, missing: number, added = missing) => ({ found, missing, added })
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
    const { values: _values, ...facts } = parseEnvelope(JSON.stringify(toJson(event)))
    expect(entry).toMatchObject({
      ...facts,
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
      arrival: {
        mode: 'any',
        searchFields: [],
        chooseLane: ({ account, type }, body) => `${account}/${type}/${JSON.parse(Buffer.from(body).toString()).id}`,
      },
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
    await run({ arrival: { mode: 'live', searchFields: [] } })
    expect((await find(event.id)).entry).toMatchObject({
      state: 'parked',
      reason: 'test event on a live server (STRIPE_MODE)',
    })
  })

  it('of no type is nothing, without asking', async () => {
    stripe.add()
    expect((await run({ types: bothSides({}) })).accounts).toBe(0)
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

  it('are left out once deauthorized, until anything of theirs is heard of again', async () => {
    await know('acct_1')
    await know('acct_1', 'account.application.deauthorized')
    await run()
    expect(stripe.listings().map(({ account }) => account)).toEqual([null])
    await inbox.add(newEntry({ account: 'acct_1', type: 'payout.paid', createdAt: new Date() }))
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

describe('thin events', () => {
  const THIN = bothSides({ thin: ['v1.payout.failed'] })
  const runThin = (overrides: Partial<ReconcileOptions> = {}) => run({ types: THIN, ...overrides })
  const listed = () => stripe.thinListings().map(({ context }) => context)

  it('that are missing are added as entries like those of deliveries, of the platform and of connected accounts', async () => {
    await know('acct_1')
    const [own, ofAccount] = [stripe.addThin(), stripe.addThin({ account: 'acct_1' })]
    const { types, accounts, unlisted } = await runThin()
    expect({ types: [...types], accounts, unlisted }).toEqual({
      types: [['v1.payout.failed', tally(2, 2)]],
      accounts: 2,
      unlisted: [],
    })
    expect(listed()).toEqual([null, 'acct_1'])
    expect(stripe.listings()).toEqual([])
    for (const [event, json, facts] of [
      [own, toThinJson(own), { account: null, route: 'account' }],
      [ofAccount, { ...toThinJson(ofAccount), context: 'acct_1' }, { account: 'acct_1', route: 'connect' }],
    ] as const) {
      const { entry, body } = await find(event.id)
      expect(JSON.parse(Buffer.from(body ?? []).toString())).toEqual(json)
      const { values: _values, ...envelope } = parseEnvelope(JSON.stringify(json))
      expect(entry).toMatchObject({ ...envelope, ...facts, state: 'pending', source: 'reconcile', secret: '' })
    }
  })

  it('that are here stay as they are, and are not counted: Stripe lists delivered ones too', async () => {
    const [here, gone] = [stripe.addThin(), stripe.addThin()]
    await inbox.add(newEntry({ eventId: here.id, body: Buffer.from('as delivered') }))
    const adds: string[] = []
    const add = (entry: NewEntry) => {
      adds.push(entry.eventId)
      return inbox.add(entry)
    }
    const { types } = await runThin({ inbox: { ...inbox, add } })
    expect(Object.fromEntries(types)).toEqual({ 'v1.payout.failed': tally(1, 1) })
    expect(adds).toEqual([gone.id])
    expect(Buffer.from((await find(here.id)).body ?? []).toString()).toBe('as delivered')
  })

  it('are asked of the inbox a hundred at a time, and read to the last page', async () => {
    const ids = Array.from({ length: 250 }, (_, age) => stripe.addThin({ created: isoAgo(age) }).id)
    const questions: number[] = []
    const lookUp = (eventIds: readonly string[]) => {
      questions.push(eventIds.length)
      return inbox.lookUp(eventIds)
    }
    await runThin({ inbox: { ...inbox, lookUp } })
    expect(new Set(await storedIds())).toEqual(new Set(ids))
    expect(questions).toEqual([100, 100, 50])
  })

  it('are looked for from the checkpoint on, an hour before it, and of an account that is new since the first look', async () => {
    await runThin()
    await know('acct_1')
    const [before, since] = [stripe.addThin({ created: isoAgo(2 * 3_600) }), stripe.addThin({ created: isoAgo(1_800) })]
    const [old, young] = [90, 30].map((minutes) => stripe.addThin({ account: 'acct_1', created: isoAgo(minutes * 60) }))
    await runThin()
    expect(new Set(await storedIds())).toEqual(new Set([(await storedIds())[0], since.id, young?.id]))
    expect(await inbox.readNote('reconciled thin acct_1')).toMatch(/^20/)
    await runThin({ sinceMs: 3 * 3_600_000 })
    expect(await storedIds()).toEqual(expect.arrayContaining([before.id, old?.id]))
  })

  it('are looked for as far back as the last look, however long ago that was', async () => {
    await inbox.writeNote('reconciled thin platform', isoAgo(20 * DAY_S))
    const missed = stripe.addThin({ created: isoAgo(19 * DAY_S) })
    await runThin()
    expect(await storedIds()).toEqual([missed.id])
  })

  it('have a checkpoint that moves at the end of the list alone', async () => {
    const isBroken = () => stripe.thinListings().length > 3
    api.route('GET', '/v2/core/events', () => (isBroken() ? apiError(500, { message: 'broken' }) : { body: page }))
    const page = {
      data: [toThinJson(stripe.addThin())],
      next_page_url: '/v2/core/events?page=1&types[0]=v1.payout.failed',
    }
    const { refusals } = await runThin()
    expect(refusals).toMatchObject([{ account: null, isAccountGone: false }])
    expect(await inbox.readNote('reconciled thin platform')).toBeNull()
  })

  it('younger than the grace are left to the next look', async () => {
    const [young, old] = [stripe.addThin({ created: isoAgo(30) }), stripe.addThin({ created: isoAgo(90) })]
    await runThin({ graceMs: 60_000 })
    expect(await storedIds()).toEqual([old.id])
    await runThin()
    expect(await storedIds()).toEqual([old.id, young.id])
  })

  it('that Stripe does not list are told by their types, and keep neither the others nor the run', async () => {
    const other = stripe.addThin({ type: 'v2.core.account.updated' })
    const snapshot = stripe.add()
    const all = { snapshot: ['payout.failed'], thin: ['v1.payout.failed', 'v2.core.account.updated'] }
    const isV1 = ({ query }: { readonly query: URLSearchParams }) =>
      typesOf(query).every((type) => type.startsWith('v1.'))
    const page = { data: [toThinJson(other)], next_page_url: null }
    api.route('GET', '/v2/core/events', (request) =>
      isV1(request) ? apiError(400, { message: 'Not a v2 type' }) : { body: page },
    )
    const { accounts, refusals, unlisted } = await run({ types: bothSides(all) })
    expect({ accounts, refusals }).toEqual({ accounts: 1, refusals: [] })
    expect(unlisted).toEqual([{ types: ['v1.payout.failed'], message: expect.stringContaining('Not a v2 type') }])
    expect(new Set(await storedIds())).toEqual(new Set([other.id, snapshot.id]))
    expect(await inbox.readNote('reconciled thin platform')).toMatch(/^20/)
  })

  it('keep their checkpoint where Stripe lists none of them, so that nothing is passed over once it does', async () => {
    api.route('GET', '/v2/core/events', () => apiError(404, { message: 'Unrecognized request URL' }))
    const { accounts, refusals, unlisted } = await runThin()
    expect({ accounts, refusals, told: unlisted.length }).toEqual({ accounts: 1, refusals: [], told: 1 })
    expect(await inbox.readNote('reconciled thin platform')).toBeNull()
  })

  it('change nothing in a dry run', async () => {
    stripe.addThin()
    const { types } = await runThin({ isDryRun: true })
    expect(Object.fromEntries(types)).toEqual({ 'v1.payout.failed': tally(1, 1, 0) })
    expect(await storedIds()).toEqual([])
    for (const note of ['reconciled thin platform', 'thin events since']) expect(await inbox.readNote(note)).toBeNull()
  })
})

describe('with all asked for', () => {
  const all = bothSides({ snapshot: ['payout.failed'], thin: ['v1.payout.failed'] })
  const runAll = (overrides: Partial<ReconcileOptions> = {}) =>
    run({ isAll: true, types: all, sinceMs: 30 * DAY_S * 1_000, ...overrides })

  it('what was never undelivered is added too, and everything listed is counted', async () => {
    const [here, gone] = [stripe.add({ isDelivered: true }), stripe.add({ isDelivered: true })]
    const [thinHere, thinGone] = [stripe.addThin(), stripe.addThin({ created: isoAgo(20 * DAY_S) })]
    for (const { id } of [here, thinHere]) await inbox.add(newEntry({ eventId: id }))
    const { types } = await runAll()
    expect(Object.fromEntries(types)).toEqual({ 'payout.failed': tally(2, 1), 'v1.payout.failed': tally(2, 1) })
    for (const { id } of [gone, thinGone]) expect((await find(id)).entry.source).toBe('reconcile')
  })

  it('accounts are those that Stripe knows too, each once', async () => {
    await know('acct_1')
    stripe.connected.push('acct_1', 'acct_2')
    const event = stripe.add({ account: 'acct_2', isDelivered: true })
    const { accounts } = await runAll()
    expect(accounts).toBe(3)
    expect(stripe.listings().map(({ account }) => account)).toEqual([null, 'acct_1', 'acct_2'])
    expect((await find(event.id)).entry).toMatchObject({ account: 'acct_2', route: 'connect' })
  })

  it('a refusal of their list is told, and the known ones are looked at all the same', async () => {
    await know('acct_1')
    api.route('GET', '/v1/accounts', () => apiError(403, { message: 'no' }))
    const { accounts, refusals } = await runAll()
    expect(accounts).toBe(2)
    expect(refusals).toMatchObject([{ account: null, message: expect.stringContaining('list the connected accounts') }])
  })

  it.each([
    ['none is sent of connected accounts', { types: { ...all, connect: { snapshot: [], thin: [] } } }],
    ['one account is asked for', { account: 'acct_1' }],
    ['not all are asked for', { isAll: false }],
  ])('their list is not asked for when %s', async (_name, overrides) => {
    await runAll(overrides)
    expect(api.requests.map(({ path }) => path)).not.toContain('/v1/accounts')
  })
})

describe('an account that is reached through another', () => {
  const types = bothSides({ snapshot: ['payout.failed'], thin: ['v1.payout.failed'] })
  const CONTEXT = 'acct_1/acct_2'
  /** An entry that tells how its account is reached. */
  const tell = (account: string, context: string) =>
    inbox.add(newEntry({ account, type: 'payout.paid', body: Buffer.from(JSON.stringify({ account, context })) }))
  const expectAdded = async (snapshot: string, thin: string) => {
    const bodies = await Promise.all([snapshot, thin].map(find))
    for (const { entry, body } of bodies) {
      expect(entry).toMatchObject({ account: 'acct_2', route: 'connect', source: 'reconcile' })
      expect(JSON.parse(Buffer.from(body ?? []).toString())).toMatchObject({ context: CONTEXT })
    }
    expect(JSON.parse(Buffer.from(bodies[0]?.body ?? []).toString())).toMatchObject({ account: 'acct_2' })
  }

  it("is asked for through its context with an organization's key, and nothing is asked without one", async () => {
    const org = await startStripeApiDouble({ key: 'sk_org_test_double1234' })
    const there = serveEvents(org)
    await know('acct_3')
    await tell('acct_2', CONTEXT)
    const [event, thin] = [there.add({ account: CONTEXT }), there.addThin({ account: CONTEXT })]
    const clients = createStripeClients({ apiKey: org.key, apiBase: new URL(org.url), requestsPerSecond: 10_000 })
    const { accounts, refusals } = await run({ clients, types, isAll: true, sinceMs: DAY_S * 1_000 })
    await org.close()
    expect({ accounts, refusals, problems: org.problems }).toEqual({ accounts: 2, refusals: [], problems: [] })
    const asked = org.requests.map(({ path, headers }) => [path, headers['stripe-account'], headers['stripe-context']])
    expect(asked).toEqual([
      ['/v1/events', undefined, CONTEXT],
      ['/v2/core/events', undefined, CONTEXT],
      ['/v1/events', undefined, 'acct_3'],
      ['/v2/core/events', undefined, 'acct_3'],
    ])
    await expectAdded(event.id, thin.id)
    expect(await inbox.readNote('context of acct_2')).toBe(CONTEXT)
  })

  it('is asked for through its context once Stripe does not know it by its id, and from then on', async () => {
    await tell('acct_2', CONTEXT)
    const [event, thin] = [stripe.add({ account: CONTEXT }), stripe.addThin({ account: CONTEXT })]
    api.route('GET', '/v1/events', (request) =>
      request.headers['stripe-account'] === 'acct_2' ? accountInvalid('acct_2') : stripe.answer(request),
    )
    expect(await run({ types })).toMatchObject({ accounts: 2, refusals: [] })
    expect(await run({ types })).toMatchObject({ accounts: 2, refusals: [] })
    expect(stripe.listings().map(({ account }) => account)).toEqual([null, 'acct_2', CONTEXT, null, CONTEXT])
    await expectAdded(event.id, thin.id)
  })

  it('is not asked for through a context that leads elsewhere', async () => {
    await tell('acct_2', 'acct_1/acct_3')
    api.route('GET', '/v1/events', (request) =>
      request.headers['stripe-account'] === 'acct_2' ? accountInvalid('acct_2') : stripe.answer(request),
    )
    const { refusals } = await run()
    expect(refusals).toMatchObject([{ account: 'acct_2', isAccountGone: true }])
    expect(stripe.listings().map(({ account }) => account)).toEqual([null, 'acct_2'])
  })

  it('is asked for by hand through the context that is named, and a dry run notes none', async () => {
    const event = stripe.add({ account: CONTEXT })
    await run({ account: CONTEXT })
    expect(stripe.listings().map(({ account }) => account)).toEqual([CONTEXT])
    expect((await find(event.id)).entry.account).toBe('acct_2')
    expect(await inbox.readNote('reconciled acct_2')).toMatch(/^20/)
    await tell('acct_4', 'acct_1/acct_4')
    api.route('GET', '/v1/events', (request) =>
      request.headers['stripe-account'] === 'acct_4' ? accountInvalid('acct_4') : stripe.answer(request),
    )
    await run({ account: 'acct_4', isDryRun: true })
    expect(stripe.listings().at(-1)?.account).toBe('acct_1/acct_4')
    expect(await inbox.readNote('context of acct_4')).toBeNull()
  })
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
        isConnection: false,
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

  it.each([
    ['a rate limit', apiError(429, { message: 'slow' }, { 'stripe-should-retry': 'false', 'retry-after': '90' })],
    ['an error of Stripe', apiError(500, { message: 'broken' }, { 'stripe-should-retry': 'false' })],
    ['an odd answer', apiError(400, { message: 'Odd' })],
  ])('of some accounts by %s leaves the others', async (_name, answer) => {
    const refused = ['acct_1', 'acct_2', 'acct_3']
    for (const account of [...refused, 'acct_4']) await know(account)
    api.route('GET', '/v1/events', (request) =>
      refused.includes(String(request.headers['stripe-account'])) ? answer : stripe.answer(request),
    )
    const { accounts, refusals } = await run()
    const named = answer.status === 429 && { retryAfterMs: 90_000 }
    expect({ accounts, refusals }).toMatchObject({
      accounts: 2,
      refusals: refused.map((account) => ({ account, isForAllAccounts: false, ...named })),
    })
    expect(stripe.listings().at(-1)?.account).toBe('acct_4')
  })

  it('by the connection leaves the others, until it was so three times in a row', async () => {
    const broken = new Set(['acct_1', 'acct_2', 'acct_4', 'acct_5', 'acct_6'])
    for (let number = 1; number <= 7; number += 1) await know(`acct_${number}`)
    api.route('GET', '/v1/events', (request) =>
      broken.has(String(request.headers['stripe-account'])) ? 'reset' : stripe.answer(request),
    )
    const { accounts, refusals } = await run()
    expect(accounts).toBe(2)
    expect(refusals.map(({ account, isForAllAccounts }) => [account, isForAllAccounts])).toEqual([
      ['acct_1', false],
      ['acct_2', false],
      ['acct_4', true],
      ['acct_5', true],
      ['acct_6', true],
    ])
  })

  it('of the inbox rejects', async () => {
    stripe.add()
    const broken = { ...inbox, add: () => Promise.reject(new Error('disk full')) }
    await expect(run({ inbox: broken })).rejects.toThrow('disk full')
    expect(await inbox.readNote('reconciled platform')).toBeNull()
  })
})

it('looks at those of the accounts that are chosen, in that order, and tells of each what was found', async () => {
  for (const account of ['acct_1', 'acct_2', 'acct_3']) await know(account)
  stripe.add({ account: 'acct_1' })
  refusePlatform()
  const looked: unknown[] = []
  const choose = (accounts: readonly (string | null)[]) => accounts.filter((each) => each !== 'acct_2').toReversed()
  const { accounts } = await run({ choose, onLooked: (...told) => looked.push(told) })
  expect(accounts).toBe(2)
  expect(looked).toEqual([
    ['acct_3', tally(0, 0)],
    ['acct_1', tally(1, 1)],
  ])

  function refusePlatform(): void {
    api.route('GET', '/v1/events', (request) =>
      request.headers['stripe-account'] === undefined ? apiError(400, { message: 'no' }) : stripe.answer(request),
    )
  }
})

it('tells its progress, once for each hundred events', async () => {
  for (let age = 250; age > 0; age -= 1) stripe.add({ created: secondsAgo(age) })
  const told: number[] = []
  await run({ onProgress: (types) => told.push(types.get('payout.failed')?.added ?? 0) })
  expect(told).toEqual([100, 200, 250])
})
