import { type DestinationsDouble, serveDestinations } from '../support/destinations-double.ts'
import {
  type ApiAnswer,
  type ApiRequest,
  apiError,
  listOf,
  type StripeApiDouble,
} from '../support/stripe-api-double.ts'

/** An event at Stripe. */
export interface EventAtStripe {
  readonly id: string
  readonly type: string
  /** Unix seconds. */
  readonly created: number
  /** Null for the platform's own; a context for one that is reached through another. */
  readonly account: string | null
  isDelivered: boolean
}

/** A thin event at Stripe. */
export interface ThinAtStripe {
  readonly id: string
  readonly type: string
  /** As Stripe says it: ISO. */
  readonly created: string
  /** Null for the platform's own. */
  readonly account: string | null
}

/** `GET /v1/events` and `GET /v2/core/events` as Stripe answers them, for what a test put there. */
export interface EventsAtStripe {
  readonly destinations: DestinationsDouble
  /** Those that `GET /v1/accounts` lists. */
  readonly connected: string[]
  /** Of this very second unless told otherwise. */
  addThin(event?: Partial<ThinAtStripe>): ThinAtStripe
  /** Of thin events, so far. */
  thinListings(): { readonly context: string | null; readonly query: URLSearchParams }[]
  /** An undelivered one, of this very second unless told otherwise. */
  add(event?: Partial<EventAtStripe>): EventAtStripe
  /** For a test that answers in its own way at times. */
  answer(request: ApiRequest): ApiAnswer
  /** Listings so far; the account null is the platform. */
  listings(): { readonly account: string | null; readonly query: URLSearchParams }[]
}

/** As Stripe says it of thin events. */
export const isoAgo = (seconds: number): string => new Date(Date.now() - seconds * 1_000).toISOString()

export const secondsAgo = (seconds: number): number => Math.floor(Date.now() / 1_000) - seconds

export function serveEvents(api: StripeApiDouble): EventsAtStripe {
  const events: EventAtStripe[] = []
  const thin: ThinAtStripe[] = []
  const connected: string[] = []
  const destinations = serveDestinations(api)
  api.route('GET', '/v1/accounts', () =>
    listOf(
      connected.map((id) => ({ id, object: 'account' })),
      { url: '/v1/accounts' },
    ),
  )
  function answer(request: ApiRequest): ApiAnswer {
    const types = typesOf(request.query)
    if (types.length === 0 || types.length > 20) return apiError(400, { message: `${types.length} types` })
    const ofAccount = events.filter(({ account }) => account === accountOf(request))
    return answerList(ofAccount, request, types)
  }
  api.route('GET', '/v1/events', answer)
  api.route('GET', '/v2/core/events', (request) => answerThin(thin, request))
  return {
    answer,
    destinations,
    connected,
    addThin(overrides = {}) {
      const created = new Date().toISOString()
      const event = {
        id: `evt_thin_${thin.length + 1}`,
        type: 'v1.payout.failed',
        created,
        account: null,
        ...overrides,
      }
      thin.push(event)
      return event
    },
    thinListings: () =>
      api.requests
        .filter(({ path }) => path === '/v2/core/events')
        .map((request) => ({ context: contextOf(request), query: request.query })),
    add(overrides = {}) {
      const id = `evt_${events.length + 1}`
      const event = {
        id,
        type: 'payout.failed',
        created: secondsAgo(0),
        account: null,
        isDelivered: false,
        ...overrides,
      }
      events.push(event)
      return event
    },
    listings: () =>
      api.requests
        .filter(({ path }) => path === '/v1/events')
        .map((request) => ({ account: accountOf(request), query: request.query })),
  }
}

function accountOf({ headers }: ApiRequest): string | null {
  return (headers['stripe-account'] ?? headers['stripe-context'])?.toString() ?? null
}

function contextOf({ headers }: ApiRequest): string | null {
  return headers['stripe-context']?.toString() ?? null
}

const THIN_PAGE = 20

/** Newest first, by pages; the next one's address says all that the first request asked for. */
function answerThin(thin: readonly ThinAtStripe[], request: ApiRequest): ApiAnswer {
  const { query } = request
  const types = typesOf(query)
  if (types.length === 0 || types.length > 20) return apiError(400, { message: `${types.length} types` })
  const matching = thin
    .filter(({ account, type }) => account === contextOf(request) && types.includes(type))
    .sort((one, other) => Date.parse(other.created) - Date.parse(one.created))
  const start = Number(query.get('page') ?? 0)
  const next = new URLSearchParams(query)
  next.set('page', String(start + THIN_PAGE))
  const next_page_url = start + THIN_PAGE < matching.length ? `/v2/core/events?${next}` : null
  const data = matching.slice(start, start + THIN_PAGE).map(toThinJson)
  return { body: { data, next_page_url, previous_page_url: null } }
}

/** The list for an account leaves out its context. */
export function toThinJson({ id, type, created }: ThinAtStripe) {
  return {
    id,
    object: 'v2.core.event',
    created,
    livemode: false,
    related_object: { id: `po_${id}`, type: 'payout', url: `/v1/payouts/po_${id}` },
    snapshot_event: `${id}_snapshot`,
    type,
  }
}

export function typesOf(query: URLSearchParams): string[] {
  return Array.from(query).flatMap(([name, value]) => (/^types\[\d*\]$/.test(name) ? [value] : []))
}

/** Newest first; a cursor names any event of the account, whether or not it matches. */
function answerList(ofAccount: readonly EventAtStripe[], { query }: ApiRequest, types: readonly string[]) {
  const newestFirst = ofAccount.map((event, index) => ({ event, index }))
  newestFirst.sort((one, other) => other.event.created - one.event.created || other.index - one.index)
  const all = newestFirst.map(({ event }) => event)
  const [after, before] = [query.get('starting_after'), query.get('ending_before')]
  const cursor = all.findIndex(({ id }) => id === (after ?? before))
  if ((after ?? before) !== null && cursor < 0)
    return apiError(404, { message: 'No such event', code: 'resource_missing' })
  const side = after !== null ? all.slice(cursor + 1) : before !== null ? all.slice(0, cursor) : all
  const matching = side.filter((event) => matches(event, query, types))
  const limit = Number(query.get('limit') ?? 10)
  const page = before === null ? matching.slice(0, limit) : matching.slice(-limit)
  return listOf(page.map(toJson), { url: '/v1/events', hasMore: matching.length > limit })
}

function matches(
  { type, created, isDelivered }: EventAtStripe,
  query: URLSearchParams,
  types: readonly string[],
): boolean {
  const [from, to] = [query.get('created[gte]') ?? 0, query.get('created[lt]') ?? Infinity]
  const isWanted = query.get('delivery_success') !== 'false' || !isDelivered
  return types.includes(type) && created >= Number(from) && created < Number(to) && isWanted
}

/** The list for an account leaves out whose events they are. */
export function toJson({ id, type, created }: EventAtStripe) {
  return {
    id,
    object: 'event',
    api_version: '2024-06-20',
    created,
    data: { object: { id: `po_${id}`, object: 'payout', amount: 1250, currency: 'usd' } },
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type,
  }
}
