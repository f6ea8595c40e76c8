import Stripe from 'stripe'
import { handlerMap } from '../../src/handlers/built-in/map.ts'
import { type ApiAnswer, listOf, type StripeApiDouble } from './stripe-api-double.ts'

export const SITE = 'https://example.com'
/** The types of the built-in handlers: what a command without HANDLERS wants to be sent. */
export const snapshotHandled = Object.keys(handlerMap).filter((type) => !/^v[12]\./.test(type))
export const thinHandled = Object.keys(handlerMap).filter((type) => type.startsWith('v1.'))
/** What a destination of connected accounts is to send beside them. */
export const connectionTypes = ['account.application.authorized', 'account.application.deauthorized']
/** Types of a map of handlers in which each has its twin, as not every built-in one need have. */
export const snapshotTwins = ['payment_intent.succeeded', 'balance.available', 'payout.failed', 'account.updated']
export const thinTwins = snapshotTwins.map((type) => `v1.${type}`)

type V1 = Pick<Stripe.WebhookEndpoint, 'id' | 'url' | 'enabled_events' | 'status' | 'api_version' | 'application'>
type V2 = Stripe.V2.Core.EventDestination

let lastId = 0

/** An endpoint as `/v1/webhook_endpoints` lists it; as it should be for this server, unless told otherwise. */
export function v1Endpoint(overrides: Partial<V1> = {}) {
  lastId += 1
  return {
    id: `we_${lastId}`,
    object: 'webhook_endpoint',
    api_version: Stripe.API_VERSION,
    application: null,
    created: 1_700_000_000,
    description: null,
    enabled_events: snapshotHandled,
    livemode: false,
    metadata: {},
    status: 'enabled',
    url: `${SITE}/webhook`,
    ...overrides,
  }
}

/** A destination as `/v2/core/event_destinations` lists it; as it should be for this server, unless told otherwise. */
export function v2Destination({
  url = `${SITE}/webhook`,
  ...overrides
}: Partial<V2> & { readonly url?: string } = {}): V2 {
  lastId += 1
  const isThin = overrides.event_payload === 'thin'
  const connection = isThin ? connectionTypes.map((type) => `v1.${type}`) : connectionTypes
  const handled = new Set(isThin ? thinHandled : snapshotHandled)
  const isConnect = overrides.events_from?.includes('@accounts') ?? false
  return {
    id: `ed_test_${lastId}`,
    object: 'v2.core.event_destination',
    created: '2026-01-01T00:00:00.000Z',
    updated: '2026-01-01T00:00:00.000Z',
    description: '',
    name: 'a destination',
    enabled_events: [...(isConnect ? handled.union(new Set(connection)) : handled)],
    event_payload: 'snapshot',
    events_from: ['@self'],
    livemode: false,
    ...(!isThin && { snapshot_api_version: Stripe.API_VERSION }),
    status: 'enabled',
    type: 'webhook_endpoint',
    webhook_endpoint: { url },
    ...overrides,
  }
}

export interface DestinationsDouble {
  v1: ReturnType<typeof v1Endpoint>[]
  v2: V2[]
  /** The bodies of what was created. */
  readonly created: Record<string, unknown>[]
  /** What was changed of which, in order. */
  readonly changed: { readonly id: string; readonly change: unknown }[]
  /** Secrets that it handed out. */
  readonly secrets: string[]
  /** Run on a ping of the destination; gives the ping event's id. */
  onPing: (id: string) => string | Promise<string>
}

/**
 * Adds the routes of both APIs for destinations, and lists of events and objects that may be read and are empty. v2 pages by two, and names URLs and secrets only when asked
 * to, as Stripe does.
 */
export function serveDestinations(api: StripeApiDouble): DestinationsDouble {
  const double: DestinationsDouble = {
    v1: [],
    v2: [],
    created: [],
    changed: [],
    secrets: [],
    onPing: () => 'evt_test_ping',
  }
  api.route('GET', readable, ({ path }) => (path.startsWith('/v2/') ? { body: { data: [] } } : listOf([])))
  api.route('GET', '/v1/webhook_endpoints', () => ({ body: { object: 'list', has_more: false, data: double.v1 } }))
  api.route('GET', '/v2/core/event_destinations', ({ query }) => {
    const start = Number(query.get('page') ?? 0)
    const isUrlAsked = [...query.values()].includes('webhook_endpoint.url')
    const data = double.v2
      .slice(start, start + 2)
      .map((each) => (isUrlAsked ? each : { ...each, webhook_endpoint: {} }))
    const next = `/v2/core/event_destinations?include[0]=webhook_endpoint.url&page=${start + 2}`
    return { body: { data, next_page_url: start + 2 < double.v2.length ? next : null, previous_page_url: null } }
  })
  api.route('POST', '/v2/core/event_destinations', ({ body }) => {
    const asked = JSON.parse(body)
    double.created.push(asked)
    const secret = `whsec_created${double.created.length}abcdefgh`
    double.secrets.push(secret)
    const isSecretAsked = asked.include?.includes('webhook_endpoint.signing_secret')
    return { body: { ...v2Destination(asked), webhook_endpoint: isSecretAsked ? { signing_secret: secret } : {} } }
  })
  api.route('POST', /^\/v2\/core\/event_destinations\/[^/]+$/, ({ path, body }) => {
    double.changed.push({ id: path.split('/').at(-1) ?? '', change: JSON.parse(body) })
    return { body: v2Destination() }
  })
  api.route('POST', /^\/v2\/core\/event_destinations\/[^/]+\/disable$/, ({ path }) => {
    double.changed.push({ id: path.split('/').at(-2) ?? '', change: 'disabled' })
    return { body: v2Destination() }
  })
  api.route('POST', /^\/v1\/webhook_endpoints\/[^/]+$/, ({ path, form }) => {
    const isDisabling = form.get('disabled') === 'true'
    const types = [...form].flatMap(([name, value]) => (name.startsWith('enabled_events') ? [value] : []))
    const change = isDisabling ? 'disabled' : { enabled_events: types }
    double.changed.push({ id: path.split('/').at(-1) ?? '', change })
    return { body: v1Endpoint() }
  })
  api.route('POST', /^\/v2\/core\/event_destinations\/[^/]+\/ping$/, async ({ path }) => {
    const id = await double.onPing(path.split('/').at(-2) ?? '')
    return { body: { id, object: 'v2.core.event', type: 'v2.core.event_destination.ping' } }
  })
  return double
}

/** Events, and what the thin events of the built-in handlers are about. */
const readable =
  /^\/(v1|v2\/core)\/(events|accounts|balance|charges|disputes|invoices|issuing\/authorizations|payment_intents|payment_methods|payouts|subscriptions)$/

/** A refusal as API v2 words it, naming a part of the key as Stripe does. */
export function v2Error(status: number, code: string, message = 'The request failed.'): ApiAnswer {
  return { status, body: { error: { code, message } } }
}

/** 403: what a restricted key without the permission gets. */
export function permissionMissing(key: string, permission = 'rak_webhook_read'): ApiAnswer {
  const message = `The provided key '${key.slice(0, 8)}***${key.slice(-6)}' does not have the required permissions for this endpoint on account 'acct_1'. Having the '${permission}' permission would allow this request to continue.`
  return { status: 403, body: { error: { type: 'invalid_request_error', message } } }
}
