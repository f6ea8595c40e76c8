import { randomBytes, randomUUID } from 'node:crypto'
import Stripe from 'stripe'
import type { SampleFacts } from './facts.ts'
import { describeRelatedObject, type SampleType, sampleData } from './objects.ts'

/** What a sample event is to be. */
export interface SampleRequest {
  /** A snapshot type, for its thin twin too. */
  readonly type: SampleType
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
export function buildSampleEvent({
  thin = false,
  ...request
}: SampleRequest & { readonly thin?: boolean | undefined }) {
  const { snapshot, thin: twin } = createSampleTwins(request)
  return JSON.stringify(thin ? twin : snapshot, null, 2)
}

/** The snapshot event and the thin event that tell of one change of one object. */
export function createSampleTwins(request: SampleRequest) {
  const facts = createFacts(request)
  const snapshot = createSnapshot(request, facts)
  return { snapshot, thin: createThin(request, facts, snapshot) }
}

/** Stripe's current events about things that happened by themselves name no request. */
const typesWithoutRequest: readonly SampleType[] = [
  'charge.dispute.created',
  'balance.available',
  'payout.failed',
  'account.application.deauthorized',
]

// https://docs.stripe.com/api/events/object
function createSnapshot({ type, account }: SampleRequest, facts: SampleFacts) {
  return {
    id: facts.createId('evt_'),
    object: 'event',
    ...(account === undefined ? {} : { account }),
    api_version: Stripe.API_VERSION,
    ...(account === undefined ? {} : { context: account }),
    created: facts.createdSeconds,
    data: sampleData[type](facts),
    livemode: facts.livemode,
    pending_webhooks: 1,
    request: createRequest(type, facts),
    type,
  }
}

// https://docs.stripe.com/api/v2/core/events/event-notification
function createThin(
  { type, account, now }: SampleRequest,
  facts: SampleFacts,
  { id, request, data }: ReturnType<typeof createSnapshot>,
) {
  const relatedObject = describeRelatedObject(data.object)
  return {
    id: facts.createId('evt_'),
    object: 'v2.core.event',
    ...(account === undefined ? {} : { context: account }),
    created: now.toISOString(),
    livemode: facts.livemode,
    ...(request.id === null ? {} : { reason: { type: 'request', request } }),
    ...(relatedObject === undefined ? {} : { related_object: relatedObject }),
    snapshot_event: id,
    type: `v1.${type}`,
  }
}

function createFacts({ account, livemode = false, now, createId = createRandomId }: SampleRequest): SampleFacts {
  const createdSeconds = Math.floor(now.getTime() / 1_000)
  return { account: account ?? createId('acct_'), livemode, createdSeconds, createId }
}

function createRequest(type: SampleType, facts: SampleFacts) {
  if (typesWithoutRequest.includes(type)) return { id: null, idempotency_key: null }
  return { id: facts.createId('req_'), idempotency_key: randomUUID() }
}

/** As long as Stripe's, which begin with 1 too. */
function createRandomId(prefix: string): string {
  return `${prefix}1${randomBytes(32).toString('base64').replace(/\W/g, '').slice(0, 23)}`
}
