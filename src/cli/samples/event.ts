import { randomBytes, randomUUID } from 'node:crypto'
import Stripe from 'stripe'
import type { SampleFacts } from './facts.ts'
import { describeRelatedObject, type SampleType, sampleData } from './objects.ts'

export interface SampleEventRequest {
  /** A snapshot type; `thin` makes its twin `v1.<type>`. */
  readonly type: SampleType
  /** Default false. */
  readonly thin?: boolean | undefined
  /** A connected account (`acct_…`); left out, the event is one of our own account. */
  readonly account?: string | undefined
  /** Default false. */
  readonly livemode?: boolean | undefined
  /** The event's `created`. */
  readonly now: Date
  /** Makes an id from its prefix (`evt_`). Default: a fresh random one each time. */
  readonly createId?: ((prefix: string) => string) | undefined
}

/** Body of an event as Stripe sends it: indented JSON, about an object of its own, so that no two events share a lane. */
export function buildSampleEvent(request: SampleEventRequest): string {
  return JSON.stringify(request.thin ? buildThin(request) : buildSnapshot(request), null, 2)
}

/** Stripe's current events about things that happened by themselves name no request. */
const typesWithoutRequest: readonly SampleType[] = [
  'charge.dispute.created',
  'balance.available',
  'payout.failed',
  'account.application.deauthorized',
]

// https://docs.stripe.com/api/events/object
function buildSnapshot(request: SampleEventRequest) {
  const facts = createFacts(request)
  return {
    id: facts.createId('evt_'),
    object: 'event',
    ...(request.account === undefined ? {} : { account: request.account }),
    api_version: Stripe.API_VERSION,
    ...(request.account === undefined ? {} : { context: request.account }),
    created: facts.createdSeconds,
    data: sampleData[request.type](facts),
    livemode: facts.livemode,
    pending_webhooks: 1,
    request: createRequest(request.type, facts) ?? { id: null, idempotency_key: null },
    type: request.type,
  }
}

// https://docs.stripe.com/api/v2/core/events/event-notification
function buildThin(request: SampleEventRequest) {
  const facts = createFacts(request)
  const apiRequest = createRequest(request.type, facts)
  const relatedObject = describeRelatedObject(sampleData[request.type](facts).object)
  return {
    id: facts.createId('evt_'),
    object: 'v2.core.event',
    ...(request.account === undefined ? {} : { context: request.account }),
    created: request.now.toISOString(),
    livemode: facts.livemode,
    ...(apiRequest === undefined ? {} : { reason: { type: 'request', request: apiRequest } }),
    ...(relatedObject === undefined ? {} : { related_object: relatedObject }),
    snapshot_event: facts.createId('evt_'),
    type: `v1.${request.type}`,
  }
}

function createFacts({ account, livemode = false, now, createId = createRandomId }: SampleEventRequest): SampleFacts {
  const createdSeconds = Math.floor(now.getTime() / 1_000)
  return { account: account ?? createId('acct_'), livemode, createdSeconds, createId }
}

function createRequest(type: SampleType, facts: SampleFacts) {
  if (typesWithoutRequest.includes(type)) return undefined
  return { id: facts.createId('req_'), idempotency_key: randomUUID() }
}

/** As long as Stripe's, which begin with 1 too. */
function createRandomId(prefix: string): string {
  return `${prefix}1${randomBytes(32).toString('base64').replace(/\W/g, '').slice(0, 23)}`
}
