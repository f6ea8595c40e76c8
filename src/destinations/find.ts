import Stripe from 'stripe'
import { type Destination, fromV1, fromV2, mergeDestinations } from './destinations.ts'
import { describeFailure } from './failure.ts'
import type { Finding } from './finding.ts'

/** What Stripe told of its destinations. */
export interface FoundDestinations {
  readonly destinations: readonly Destination[]
  /** Why a list could not be read; the other one is there all the same. */
  readonly failures: readonly Finding[]
  /** Whether any list could be read. */
  readonly isRead: boolean
  /** Whether v2's could, which lists v1's too. */
  readonly isV2Read: boolean
  /** Whether these are all: v2 lists every one, and v1 does for an account without v2. */
  readonly isComplete: boolean
  /** How far this machine's clock is ahead of Stripe's, in milliseconds; null when no answer had a date. */
  readonly clockAheadMs: number | null
}

/** Reads both lists to their end. Rejects only with errors that are not the SDK's. */
export async function findDestinations(client: Stripe): Promise<FoundDestinations> {
  const [v1, v2] = await Promise.all([
    readList('v1', () => client.webhookEndpoints.list({ limit: 100 }), fromV1),
    readList('v2', () => client.v2.core.eventDestinations.list({ include: ['webhook_endpoint.url'] }), fromV2),
  ])
  const failures = [v1.failure, v2.failure].filter((failure) => failure !== undefined)
  const isSameTwice = failures[0]?.message === failures[1]?.message
  const ahead = [v1.clockAheadMs, v2.clockAheadMs].filter((ms) => ms !== null)
  return {
    destinations: mergeDestinations(v1.destinations, v2.destinations),
    failures: isSameTwice ? failures.slice(0, 1) : failures,
    isRead: failures.length < 2,
    isV2Read: v2.failure === undefined,
    isComplete: v2.failure === undefined || (v2.failure.severity === 'warning' && v1.failure === undefined),
    // The quicker answer is the truer one.
    clockAheadMs: ahead.toSorted((one, other) => Math.abs(one) - Math.abs(other))[0] ?? null,
  }
}

interface ReadList {
  readonly destinations: readonly Destination[]
  readonly failure?: Finding
  readonly clockAheadMs: number | null
}

type Page = { readonly lastResponse: { readonly headers: Record<string, string> } }

async function readList<T>(
  api: 'v1' | 'v2',
  list: () => Promise<Page> & AsyncIterable<T>,
  toDestination: (item: T) => Destination,
): Promise<ReadList> {
  const destinations: Destination[] = []
  let clockAheadMs: number | null = null
  try {
    const pages = list()
    clockAheadMs = readClock((await pages).lastResponse.headers)
    for await (const item of pages) destinations.push(toDestination(item))
    return { destinations, clockAheadMs }
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError)) throw error
    clockAheadMs ??= readClock(error.headers)
    // A list that broke off would look like one in which something is missing.
    return { destinations: [], failure: describeListFailure(error, api), clockAheadMs }
  }
}

const paths = { v1: '/v1/webhook_endpoints', v2: '/v2/core/event_destinations' } as const

function describeListFailure(error: Stripe.errors.StripeError, api: 'v1' | 'v2'): Finding {
  if (api === 'v1' || error.statusCode !== 404) return describeFailure(error, `read ${paths[api]}`, 'Read')
  return {
    severity: 'warning',
    check: 'api_reachable',
    message: `${paths.v2} is not there for this account (404): only what ${paths.v1} lists was looked at`,
    mend: 'thin destinations need it: ask Stripe support to enable API v2, or do without them',
  }
}

/** By the Date of an answer that came just now. */
function readClock(headers: Record<string, string> | undefined): number | null {
  // Typed as a record, and a Headers object when the SDK sends by fetch: this takes both.
  const stripeAt = Date.parse(new Headers(headers).get('date') ?? '')
  return Number.isNaN(stripeAt) ? null : Date.now() - stripeAt
}
