import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fromV1, fromV2, mergeDestinations } from '../../src/destinations/destinations.ts'
import { findDestinations } from '../../src/destinations/find.ts'
import { createStripeClients } from '../../src/stripe/client.ts'
import {
  type DestinationsDouble,
  permissionMissing,
  serveDestinations,
  v1Endpoint,
  v2Destination,
  v2Error,
} from '../support/destinations-double.ts'
import { apiError, type StripeApiDouble, startStripeApiDouble } from '../support/stripe-api-double.ts'

const readV1 = (overrides: Parameters<typeof v1Endpoint>[0] = {}) => fromV1(v1Endpoint(overrides))
const readV2 = (overrides: Parameters<typeof v2Destination>[0] = {}) => fromV2(v2Destination(overrides))

describe('whose events a destination sends', () => {
  it.each([
    [['@self'], 'account'],
    [['self'], 'account'],
    [undefined, 'account'],
    [['@accounts'], 'connect'],
    [['other_accounts'], 'connect'],
    [['@self', '@accounts'], 'both'],
    [['@organization_members'], 'organization'],
  ])('is read from v2: %j', (events_from, expected) => {
    const { events_from: _default, ...destination } = v2Destination()
    expect(fromV2({ ...destination, ...(events_from && { events_from }) }).from).toBe(expected)
  })

  it('is known from v1 only of an endpoint with an application', () => {
    expect(readV1({ application: 'ca_1' }).from).toBe('connect')
    expect(readV1().from).toBe('unknown')
  })
})

it('has no URL when it is no webhook, or Stripe does not tell', () => {
  expect(readV2({ type: 'amazon_eventbridge' }).url).toBeNull()
  expect(readV2({ webhook_endpoint: {} }).url).toBeNull()
})

describe('the two lists as one', () => {
  it('have an endpoint once that both list under one id, as v2 tells of it', () => {
    const merged = mergeDestinations([readV1({ id: 'we_1' })], [readV2({ id: 'we_1', events_from: ['@accounts'] })])
    expect(merged).toMatchObject([{ id: 'we_1', listedBy: 'both', from: 'connect' }])
  })

  it('have an endpoint once that both list under two ids, in whatever order its types come', () => {
    const [one, other] = [readV1({ id: 'we_1', enabled_events: ['a', 'b'] }), readV2({ enabled_events: ['b', 'a'] })]
    expect(mergeDestinations([one], [other])).toMatchObject([{ id: other.id, listedBy: 'both' }])
  })

  it('keep two apart that are alike, when each list has both', () => {
    const merged = mergeDestinations([readV1(), readV1()], [readV2(), readV2()])
    expect(merged.map(({ listedBy }) => listedBy)).toEqual(['both', 'both'])
  })

  it('keep one of v1 that is like two of them, and another that is like none', () => {
    expect(mergeDestinations([readV1(), readV1()], [readV2()])).toHaveLength(2)
    for (const overrides of [
      { enabled_events: ['a'] },
      { url: 'https://other.example/webhook' },
      { api_version: null },
    ]) {
      const merged = mergeDestinations([readV1(overrides)], [readV2()])
      expect(merged.map(({ listedBy }) => listedBy)).toEqual(['v2', 'v1'])
    }
    expect(mergeDestinations([readV1()], [readV2({ event_payload: 'thin' })])).toHaveLength(2)
  })
})

describe('finding the destinations', () => {
  let api: StripeApiDouble
  let double: DestinationsDouble
  beforeEach(async () => {
    api = await startStripeApiDouble()
    double = serveDestinations(api)
  })
  afterEach(() => api.close())

  const find = () =>
    findDestinations(createStripeClients({ apiKey: api.key, apiBase: new URL(api.url) }).clientOf(null))

  it('reads both lists to their end, with URLs', async () => {
    double.v1 = [v1Endpoint({ url: 'https://old.example/webhook' })]
    double.v2 = Array.from({ length: 5 }, (_, index) => v2Destination({ url: `https://${index}.example/webhook` }))
    const { destinations, failures, isRead, isV2Read } = await find()
    expect({ failures, isRead, isV2Read }).toEqual({ failures: [], isRead: true, isV2Read: true })
    expect(destinations.map(({ url }) => url?.slice(8, 11))).toEqual(['0.e', '1.e', '2.e', '3.e', '4.e', 'old'])
    expect(api.problems).toEqual([])
  })

  it.each([
    [
      '403',
      permissionMissing('rk_test_1234567890'),
      'fault',
      'api_permission',
      'may not read /v2/core/event_destinations',
    ],
    ['404', v2Error(404, 'not_found'), 'warning', 'api_reachable', 'only what /v1/webhook_endpoints lists'],
    ['400', v2Error(400, 'odd', 'Odd: sk_test_secret1'), 'fault', 'api_reachable', 'answered 400, could not read /v2'],
  ])('goes on with v1 when v2 answers %s', async (_status, answer, severity, check, message) => {
    double.v1 = [v1Endpoint({ id: 'we_old' })]
    api.route('GET', '/v2/core/event_destinations', () => answer)
    const { destinations, failures, isRead, isV2Read } = await find()
    expect(destinations).toMatchObject([{ id: 'we_old', listedBy: 'v1' }])
    expect({ isRead, isV2Read }).toEqual({ isRead: true, isV2Read: false })
    expect(failures).toMatchObject([{ severity, check, message: expect.stringContaining(message) }])
    expect(JSON.stringify(failures)).not.toMatch(/567890|secret1/)
  })

  it('goes on with v2 when v1 is refused', async () => {
    double.v2 = [v2Destination()]
    api.route('GET', '/v1/webhook_endpoints', () => permissionMissing('rk_test_1234567890'))
    const { destinations, failures } = await find()
    expect(destinations).toHaveLength(1)
    expect(failures).toMatchObject([{ message: 'STRIPE_API_KEY may not read /v1/webhook_endpoints (403)' }])
  })

  it('takes a list that breaks off for one that could not be read', async () => {
    double.v2 = [v2Destination(), v2Destination(), v2Destination()]
    api.route('GET', '/v2/core/event_destinations', ({ query }) =>
      query.has('page')
        ? v2Error(400, 'odd')
        : { body: { data: double.v2.slice(0, 2), next_page_url: '/v2/core/event_destinations?page=2' } },
    )
    expect(await find()).toMatchObject({ destinations: [], isV2Read: false, failures: [{ severity: 'fault' }] })
  })

  it('tells once that the key is refused', async () => {
    for (const path of ['/v1/webhook_endpoints', '/v2/core/event_destinations']) {
      api.route('GET', path, () => apiError(401, { message: 'Invalid API Key provided: sk_test_****1234' }))
    }
    const { failures, isRead } = await find()
    expect(isRead).toBe(false)
    expect(failures).toMatchObject([{ check: 'api_key', severity: 'fault', mend: expect.stringContaining('.env') }])
  })

  it.each([
    ['ahead of', -45_000, 45_000],
    ['behind', 3_600_000, -3_600_000],
    ['with', 0, 0],
  ])("tells that this clock is %s Stripe's, from refusals too", async (_direction, offsetMs, expectedMs) => {
    const headers = () => ({ date: new Date(Date.now() + offsetMs).toUTCString() })
    api.route('GET', '/v1/webhook_endpoints', () => ({ headers: headers(), body: { object: 'list', data: [] } }))
    api.route('GET', '/v2/core/event_destinations', () => ({ ...v2Error(404, 'not_found'), headers: headers() }))
    const { clockAheadMs } = await find()
    expect(Math.abs((clockAheadMs ?? Number.NaN) - expectedMs)).toBeLessThan(5_000)
    api.route('GET', '/v1/webhook_endpoints', () => ({ ...permissionMissing(api.key), headers: headers() }))
    expect(Math.abs(((await find()).clockAheadMs ?? Number.NaN) - expectedMs)).toBeLessThan(5_000)
  })
})
