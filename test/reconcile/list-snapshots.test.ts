import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { listSnapshots, type SnapshotFilter } from '../../src/reconcile/list-snapshots.ts'
import { createStripeClients } from '../../src/stripe/client.ts'
import { type StripeApiDouble, startStripeApiDouble } from '../support/stripe-api-double.ts'
import { type EventsAtStripe, secondsAgo, serveEvents, typesOf } from './events-at-stripe.ts'

let api: StripeApiDouble
let stripe: EventsAtStripe
beforeEach(async () => {
  api = await startStripeApiDouble()
  stripe = serveEvents(api)
})
afterEach(async () => {
  const { problems } = api
  await api.close()
  expect(problems).toEqual([])
})

const day = new Date(Date.now() - 86_400_000)

async function list(filter: Partial<SnapshotFilter> = {}, account: string | null = null): Promise<string[]> {
  const client = createStripeClients({
    apiKey: api.key,
    apiBase: new URL(api.url),
    requestsPerSecond: 10_000,
  }).clientOf(account)
  const ids: string[] = []
  for await (const event of listSnapshots(client, { types: ['payout.failed'], since: day, ...filter })) {
    ids.push(event.id)
  }
  return ids
}

describe('lists each event once, oldest first', () => {
  it.each([
    [0, 1],
    [1, 1],
    [99, 1],
    [100, 1],
    [101, 3],
    [200, 3],
    [201, 5],
    [350, 7],
  ])('%i of them, in %i requests', async (count, requests) => {
    const expected = Array.from({ length: count }, (_, index) => stripe.add({ created: secondsAgo(count - index) }).id)
    expect(await list()).toEqual(expected)
    expect(stripe.listings()).toHaveLength(requests)
    for (const { query } of stripe.listings()) {
      expect(query.get('limit')).toBe('100')
      expect(query.get('delivery_success')).toBe('false')
    }
  })

  it('of more than twenty types, by time over all of them', async () => {
    const types = Array.from({ length: 45 }, (_, index) => `made.up_${index}`)
    const expected = Array.from(
      { length: 300 },
      (_, index) => stripe.add({ type: types[(index * 7) % 45] ?? '', created: secondsAgo(1_000 - index) }).id,
    )
    expect(await list({ types })).toEqual(expected)
    const asked = stripe.listings().flatMap(({ query }) => typesOf(query))
    expect(new Set(asked)).toEqual(new Set(types))
  })

  it('while some are delivered and others happen in between', async () => {
    const events = Array.from({ length: 250 }, (_, index) => stripe.add({ created: secondsAgo(500 - index) }))
    api.route('GET', '/v1/events', (request) => {
      // The last page of the way there is gone when it is asked for, and a part of the one before it.
      if (stripe.listings().length === 3) for (const event of events.slice(0, 60)) event.isDelivered = true
      if (stripe.listings().length === 4) stripe.add()
      return stripe.answer(request)
    })
    expect(await list()).toEqual([...events.slice(50).map(({ id }) => id), 'evt_251'])
  })
})

it('lists delivered ones too when all are asked for', async () => {
  const events = [30, 20, 10].map((age) => stripe.add({ created: secondsAgo(age), isDelivered: age !== 20 }))
  expect(await list({ isAll: true })).toEqual(events.map(({ id }) => id))
  expect(stripe.listings()[0]?.query.has('delivery_success')).toBe(false)
})

describe('leaves out', () => {
  it('what was delivered, is of another type, or of another account', async () => {
    const account = 'acct_1'
    stripe.add({ account, isDelivered: true })
    stripe.add({ account, type: 'payout.paid' })
    stripe.add({ account: 'acct_2' })
    stripe.add()
    const wanted = stripe.add({ account })
    expect(await list({}, account)).toEqual([wanted.id])
  })

  it('what was created before the time, or after the other one', async () => {
    stripe.add({ created: secondsAgo(86_400 + 60) })
    const wanted = stripe.add({ created: secondsAgo(86_400 - 60) })
    stripe.add({ created: secondsAgo(30) })
    expect(await list({ until: new Date(Date.now() - 60_000) })).toEqual([wanted.id])
  })

  it('everything when there is no type, which Stripe would take for all', async () => {
    stripe.add()
    expect(await list({ types: [] })).toEqual([])
    expect(api.requests).toEqual([])
  })
})

it("rejects with the SDK's error", async () => {
  await expect(list({ types: ['payout.failed'] }, 'acct_1')).resolves.toEqual([])
  api.route('GET', '/v1/events', () => ({ status: 401, body: { error: { message: 'no' } } }))
  await expect(list()).rejects.toMatchObject({ type: 'StripeAuthenticationError' })
})
