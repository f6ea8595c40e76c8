import Stripe from 'stripe'
import { PermanentError } from '../errors.ts'
import type { AnyEvent, EventSource } from '../event.ts'
import type { Log } from '../log.ts'
import { fetchLatest } from './fetch-latest.ts'
import { createBoundedHttpClient } from './http-client.ts'
import { createOperationBudgets } from './operation-budgets.ts'
import { createRateLimitLog } from './rate-limit-log.ts'

/** Parses stored events, and lends SDK clients. */
export interface StripeClients extends EventSource {
  /** Whether the key is an account's: an organization's has none of its own, and Stripe takes no request of it without a context. */
  readonly hasPlatform: boolean
  /**
   * Client of a connected account, of a context (`acct_a/acct_b`), or of the platform for null. Throws `PermanentError` without an API
   * key.
   */
  clientOf(context: string | null): Stripe
  /** The same, naming a connected account as a context too: API v2 takes it so alone. */
  clientIn(context: string | null): Stripe
}

export interface StripeClientsOptions {
  readonly apiKey: string | undefined
  readonly apiBase: URL | undefined
  /**
   * Of each operation of the API, shared by all clients, retries included. Default 20, where Stripe allows 25. All operations together
   * may take as many with a test key, and four times as many with a live one, where Stripe allows 25 and 100.
   */
  readonly requestsPerSecond?: number
  /** Told of rate limits. */
  readonly log?: Log
}

const REQUESTS_PER_SECOND = 20
const TOGETHER_IN_LIVE_MODE = 4
const MAX_NETWORK_RETRIES = 2
const REQUEST_TIMEOUT_MS = 10_000
/** Clients of accounts and contexts that are kept; the oldest goes first. */
const MAX_CLIENTS = 500

/**
 * Parses stored events and lends SDK clients: one for the platform and all thin events, one for each account or context met,
 * all on one connection pool. Without an API key events still parse; what would reach Stripe fails with a `PermanentError`.
 */
export function createStripeClients({
  apiKey,
  apiBase,
  requestsPerSecond = REQUESTS_PER_SECOND,
  log,
}: StripeClientsOptions): StripeClients {
  const isLive = apiKey?.includes('_live_') ?? false
  const hasPlatform = !apiKey?.startsWith('sk_org_')
  const together = requestsPerSecond * (isLive ? TOGETHER_IN_LIVE_MODE : 1)
  const { httpClient, runWithin } = createBoundedHttpClient(
    createOperationBudgets(requestsPerSecond, together),
    log && createRateLimitLog(log),
  )
  const shared = {
    ...describeBase(apiBase),
    maxNetworkRetries: MAX_NETWORK_RETRIES,
    timeout: REQUEST_TIMEOUT_MS,
    telemetry: false,
    httpClient,
  }
  // Never bound to an account: a thin event's own fetches add its context, and the API refuses both headers at once.
  const platform = new Stripe(apiKey ?? KEY_FOR_PARSING, shared)
  const bound = new Map<string, Stripe>()

  function bind(kind: 'stripeAccount' | 'stripeContext', value: string | null | undefined): Stripe {
    if (apiKey === undefined) throw new PermanentError(NO_KEY)
    if (!value) return platform
    const name = `${kind} ${value}`
    const client = bound.get(name) ?? new Stripe(apiKey, { ...shared, [kind]: value })
    bound.delete(name)
    bound.set(name, client)
    if (bound.size > MAX_CLIENTS) bound.delete(bound.keys().next().value ?? '')
    return client
  }

  /** v1 has always gone by the account; it takes no other way to one that is reached through others, or by an organization's key. */
  function bindTo(context: string | null): Stripe {
    return bind(hasPlatform && !context?.includes('/') ? 'stripeAccount' : 'stripeContext', context)
  }

  function clientFor(event: AnyEvent): Stripe {
    const context = event.context?.toString()
    // Stripe sends a snapshot's context beside its account, and most are the same.
    if (event.object === 'event' && event.account) return bindTo(context?.includes('/') ? context : event.account)
    return bind('stripeContext', context)
  }

  return {
    hasPlatform,
    hasApiKey: apiKey !== undefined,
    apiVersion: Stripe.API_VERSION,
    parse: (entry, body) =>
      entry.shape === 'thin' ? parseThin(platform, toText(body), apiKey !== undefined) : parseSnapshot(toText(body)),
    clientFor,
    fetchLatest: async (event) => fetchLatest(clientFor(event), event),
    clientOf: bindTo,
    clientIn: (context) => bind('stripeContext', context),
    runWithin,
  }
}

const NO_KEY = 'This handler calls Stripe, and STRIPE_API_KEY is not set: set it, restart, and replay the entry.'

/** The SDK wants some key to parse with; nothing is ever sent with this one. */
const KEY_FOR_PARSING = 'none'

const refuseWithoutKey = () => Promise.reject(new PermanentError(NO_KEY))

function describeBase(apiBase: URL | undefined): Stripe.StripeConfig {
  if (apiBase === undefined) return {}
  const protocol = apiBase.protocol === 'http:' ? 'http' : 'https'
  return { protocol, host: apiBase.hostname, port: apiBase.port || (protocol === 'http' ? 80 : 443) }
}

function toText(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
}

function parseSnapshot(text: string): AnyEvent {
  // Verified and shape-checked on arrival; the SDK's own parsing of a snapshot is no more than this.
  return JSON.parse(text) as Stripe.Event
}

function parseThin(platform: Stripe, text: string, hasApiKey: boolean): AnyEvent {
  // The SDK takes these keys for a cloud provider's envelope and would unwrap what is none.
  const { detail: _detail, specversion: _specversion, ...event } = JSON.parse(text)
  const notification = platform.parseEventNotificationWithoutVerification(JSON.stringify(event))
  if (hasApiKey) return notification
  return Object.assign(notification, { fetchEvent: refuseWithoutKey, fetchRelatedObject: refuseWithoutKey })
}
