import Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AnyEvent, EntryFacts, EventSource } from '../../src/event.ts'
import { createStripeClients } from '../../src/stripe/client.ts'
import { newEntry } from '../support/new-entry.ts'
import { snapshotJson, thinJson } from '../support/sign.ts'
import { type StripeApiDouble, serverError, startStripeApiDouble } from '../support/stripe-api-double.ts'

let api: StripeApiDouble
beforeEach(async () => {
  api = await startStripeApiDouble()
  for (const method of ['GET', 'POST']) api.route(method, /^/, ({ path }) => ({ body: { id: path, object: 'answer' } }))
})
afterEach(async () => {
  const { problems } = api
  await api.close()
  expect(problems).toEqual([])
})

const createSource = (): EventSource => createStripeClients({ apiKey: api.key, apiBase: new URL(api.url) })
const createSourceWithoutKey = (): EventSource => createStripeClients({ apiKey: undefined, apiBase: new URL(api.url) })
const sent = () => api.requests.map(({ method, path }) => `${method} ${path}`)

const facts = (shape: EntryFacts['shape']): EntryFacts => ({ ...newEntry({ shape }), receivedAt: new Date() })
const parseSnapshot = (source: EventSource, overrides: Record<string, unknown> = {}): AnyEvent =>
  source.parse(facts('snapshot'), Buffer.from(snapshotJson(overrides)))
const parseThin = (source: EventSource, overrides: Record<string, unknown> = {}) =>
  // What a thin entry parses to has the methods of a notification.
  source.parse(facts('thin'), Buffer.from(thinJson(overrides))) as Stripe.V2.Core.EventNotification & {
    fetchRelatedObject(): Promise<unknown>
  }

/** For whom the one request acted. */
function actedFor(): { account: unknown; context: unknown } {
  expect(api.requests).toHaveLength(1)
  const headers = api.requests[0]?.headers ?? {}
  return { account: headers['stripe-account'], context: headers['stripe-context'] }
}
const platform = { account: undefined, context: undefined }

describe("an event's client", () => {
  it.each([
    ['a snapshot event of our own account', {}, platform],
    ['a snapshot event of an account', { account: 'acct_1' }, { account: 'acct_1', context: undefined }],
    [
      'a snapshot event of an account that tells its context too',
      { account: 'acct_1', context: 'acct_1' },
      { account: 'acct_1', context: undefined },
    ],
    [
      'a snapshot event of an account that is reached through another',
      { account: 'acct_2', context: 'acct_1/acct_2' },
      { account: undefined, context: 'acct_1/acct_2' },
    ],
    [
      'a snapshot event that tells a context only',
      { context: 'org_1/acct_1' },
      { account: undefined, context: 'org_1/acct_1' },
    ],
  ])('acts for %s', async (_name, overrides, expected) => {
    const source = createSource()
    await source.clientFor(parseSnapshot(source, overrides)).balance.retrieve()
    expect(actedFor()).toEqual(expected)
    expect(sent()).toEqual(['GET /v1/balance'])
  })

  it.each([
    ['a thin event of our own account', {}, platform],
    ['a thin event with a context', { context: 'acct_1' }, { account: undefined, context: 'acct_1' }],
    [
      'a thin event with a context of several parts',
      { context: 'org_1/acct_1' },
      { account: undefined, context: 'org_1/acct_1' },
    ],
  ])('acts for %s', async (_name, overrides, expected) => {
    const source = createSource()
    await source.clientFor(parseThin(source, overrides)).balance.retrieve()
    expect(actedFor()).toEqual(expected)
  })

  it.each([
    ['a snapshot event whose account is null', 'snapshot', { account: null }],
    ['a thin event whose context is null', 'thin', { context: null }],
    ['a thin event whose context is empty', 'thin', { context: '' }],
  ] as const)('acts for our own account over %s', async (_name, shape, overrides) => {
    const source = createSource()
    const event = shape === 'thin' ? parseThin(source, overrides) : parseSnapshot(source, overrides)
    const client = source.clientFor(event)
    expect(client).toBe(source.clientFor(parseSnapshot(source)))
    await client.balance.retrieve()
    expect(actedFor()).toEqual(platform)
  })

  it('is one for all events of an account, and another for each other account and context', () => {
    const source = createSource()
    const ofAccount = () => source.clientFor(parseSnapshot(source, { account: 'acct_1' }))
    const ofContext = () => source.clientFor(parseThin(source, { context: 'acct_1' }))
    const own = () => source.clientFor(parseSnapshot(source))
    for (const client of [ofAccount, ofContext, own]) expect(client()).toBe(client())
    expect(source.clientFor(parseThin(source))).toBe(own())
    const other = source.clientFor(parseSnapshot(source, { account: 'acct_2' }))
    expect(new Set([ofAccount(), ofContext(), own(), other]).size).toBe(4)
  })

  it('is kept for the accounts met last, so that memory has a bound', () => {
    const source = createSource()
    const clientOf = (number: number) => source.clientFor(parseSnapshot(source, { account: `acct_${number}` }))
    const [first, second] = [clientOf(1), clientOf(2)]
    for (let number = 3; number <= 500; number += 1) clientOf(number)
    expect(clientOf(1)).toBe(first)
    clientOf(501)
    expect(clientOf(1)).toBe(first)
    expect(clientOf(2)).not.toBe(second)
  })

  it('tries again when the API does not answer, under one idempotency key', async () => {
    let calls = 0
    api.route('POST', '/v1/customers', () => (calls++ === 0 ? serverError() : {}))
    const source = createSource()
    await source.clientFor(parseSnapshot(source)).customers.create({})
    const keys = api.requests.map(({ headers }) => headers['idempotency-key'])
    expect(keys).toEqual([expect.stringMatching(/./), keys[0]])
  })
})

it('has clients for an account by its id, those of its events, and for the platform', async () => {
  const clients = createStripeClients({ apiKey: api.key, apiBase: new URL(api.url) })
  expect(clients.clientOf('acct_1')).toBe(clients.clientFor(parseSnapshot(clients, { account: 'acct_1' })))
  expect(clients.clientOf(null)).toBe(clients.clientFor(parseSnapshot(clients)))
  expect(() => createStripeClients({ apiKey: undefined, apiBase: undefined }).clientOf(null)).toThrow('STRIPE_API_KEY')
})

it.each([
  [null, platform],
  ['acct_1', { account: 'acct_1', context: undefined }],
  ['acct_1/acct_2', { account: undefined, context: 'acct_1/acct_2' }],
])('has a client for %s, and one that names it as a context', async (context, expected) => {
  const clients = createStripeClients({ apiKey: api.key, apiBase: new URL(api.url) })
  await clients.clientOf(context).balance.retrieve()
  expect(actedFor()).toEqual(expected)
  api.requests.length = 0
  await clients.clientIn(context).balance.retrieve()
  expect(actedFor()).toEqual({ account: undefined, context: context ?? undefined })
})

describe("with an organization's key", () => {
  let org: StripeApiDouble
  beforeEach(async () => {
    org = await startStripeApiDouble({ key: 'sk_org_test_double1234' })
    org.route('GET', '/v1/balance', () => ({}))
  })
  afterEach(() => org.close())

  it.each([
    ['a snapshot event of one of its accounts', 'acct_1', { account: 'acct_1', context: 'acct_1' }],
    ['a snapshot event that tells no context', 'acct_1', { account: 'acct_1' }],
    ['a snapshot event of an account below', 'acct_1/acct_2', { account: 'acct_2', context: 'acct_1/acct_2' }],
  ])('%s acts through the context %s', async (_name, context, overrides) => {
    const source = createStripeClients({ apiKey: org.key, apiBase: new URL(org.url) })
    await source.clientFor(parseSnapshot(source, overrides)).balance.retrieve()
    await source.clientOf(context).balance.retrieve()
    const headers = org.requests.map(({ headers }) => [headers['stripe-account'], headers['stripe-context']])
    expect(headers).toEqual([
      [undefined, context],
      [undefined, context],
    ])
    expect(org.problems).toEqual([])
  })

  it('there is no platform', () => {
    expect(createStripeClients({ apiKey: org.key, apiBase: undefined }).hasPlatform).toBe(false)
    expect(createStripeClients({ apiKey: api.key, apiBase: undefined }).hasPlatform).toBe(true)
  })
})

describe('a thin event', () => {
  const overrides = {
    id: 'evt_test_1',
    context: 'acct_1',
    related_object: { id: 'po_1', type: 'payout', url: '/v1/payouts/po_1' },
  }

  it('fetches its related object for its context, with the key', async () => {
    const fetched = await parseThin(createSource(), overrides).fetchRelatedObject()
    expect(sent()).toEqual(['GET /v1/payouts/po_1'])
    expect(actedFor()).toEqual({ account: undefined, context: 'acct_1' })
    expect(fetched).toMatchObject({ id: '/v1/payouts/po_1' })
  })

  it('fetches itself for its context, with the key', async () => {
    await parseThin(createSource(), overrides).fetchEvent()
    expect(sent()).toEqual(['GET /v2/core/events/evt_test_1'])
    expect(actedFor()).toEqual({ account: undefined, context: 'acct_1' })
  })

  it.each([undefined, null, ''])('fetches for our own account when its context is %j', async (context) => {
    await parseThin(createSource(), { ...overrides, context }).fetchRelatedObject()
    expect(actedFor()).toEqual(platform)
  })

  it('fetches for its own context after clients were bound to others', async () => {
    const source = createSource()
    source.clientFor(parseSnapshot(source, { account: 'acct_9' }))
    source.clientFor(parseThin(source, { context: 'acct_8' }))
    await parseThin(source, overrides).fetchRelatedObject()
    expect(actedFor()).toEqual({ account: undefined, context: 'acct_1' })
  })

  it('fetches nothing when it names no object', async () => {
    for (const related_object of [undefined, null]) {
      expect(await parseThin(createSource(), { related_object }).fetchRelatedObject()).toBeNull()
    }
    expect(sent()).toEqual([])
  })

  it.each([
    { detail: { id: 'evt_smuggled', object: 'v2.core.event', type: 'v1.smuggled' } },
    { detail: 'text' },
    { specversion: '1.0', data: { id: 'evt_smuggled', object: 'v2.core.event', type: 'v1.smuggled' } },
  ])('parses as itself with the keys of a cloud envelope: %j', (keys) => {
    const event = parseThin(createSource(), { ...overrides, ...keys })
    expect(event).toMatchObject({ id: 'evt_test_1', type: 'v1.payment_intent.succeeded' })
  })
})

describe('a snapshot event', () => {
  it('parses as it was sent, unknown fields and all', () => {
    const text = snapshotJson({ account: 'acct_1', detail: { id: 'evt_smuggled' }, specversion: '1.0', extra: [1] })
    expect(createSource().parse(facts('snapshot'), Buffer.from(text))).toEqual(JSON.parse(text))
  })

  it('parses from a view into a larger buffer', () => {
    const text = snapshotJson({ description: 'Zoë 💶' })
    const larger = Buffer.from(`xxxx${text}xxxx`)
    const view = new Uint8Array(larger.buffer, larger.byteOffset + 4, Buffer.byteLength(text))
    expect(createSource().parse(facts('snapshot'), view)).toEqual(JSON.parse(text))
  })
})

describe('without an API key', () => {
  const refusal = { name: 'PermanentError', message: expect.stringContaining('STRIPE_API_KEY is not set') }

  it('events of both shapes still parse', () => {
    const source = createSourceWithoutKey()
    expect(source.hasApiKey).toBe(false)
    expect(parseSnapshot(source, { account: 'acct_1' })).toMatchObject({ object: 'event' })
    expect(parseThin(source, { context: 'acct_1' })).toMatchObject({ object: 'v2.core.event' })
  })

  it('asking for a client fails for good, with what to do', () => {
    const source = createSourceWithoutKey()
    for (const event of [parseSnapshot(source), parseSnapshot(source, { account: 'acct_1' }), parseThin(source)]) {
      expect(() => source.clientFor(event)).toThrow(expect.objectContaining(refusal))
    }
  })

  it('fetching fails for good, and nothing is sent', async () => {
    const event = parseThin(createSourceWithoutKey(), { context: 'acct_1' })
    await expect(event.fetchRelatedObject()).rejects.toMatchObject(refusal)
    await expect(event.fetchEvent()).rejects.toMatchObject(refusal)
    expect(sent()).toEqual([])
  })
})

it('tells the API version of the SDK', () => {
  expect(createSource().apiVersion).toBe(Stripe.API_VERSION)
  expect(createSource().hasApiKey).toBe(true)
})
