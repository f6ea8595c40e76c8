import { randomBytes, randomUUID } from 'node:crypto'
import Stripe from 'stripe'
import { isEventType, isKnownType } from '../event/known-types.ts'
import { isThinType, twinOf } from '../event/twin.ts'
import type { EventType } from '../event.ts'
import type { SampleFacts } from './facts.ts'
import { fetchedData } from './fetched-data.ts'
import { createObject, describeRelatedObject, relatedOf, type SampleObject } from './object.ts'
import { previousAttributes } from './previous-attributes.ts'

/** What a sample event is to be. */
export interface SampleRequest {
  readonly type: EventType
  /** A connected account (`acct_…`); left out, the event is one of our own account. */
  readonly account?: string | undefined
  /** Default false. */
  readonly livemode?: boolean | undefined
  /** The event's `created`. */
  readonly now: Date
  /** Makes an id from its prefix (`evt_`). Default: a fresh random one each time. */
  readonly createId?: ((prefix: string) => string) | undefined
  /** Changes the snapshot event before its twin is made of it. */
  readonly edit?: ((snapshot: SampleObject) => SampleObject) | undefined
}

/** One change of one object, in the shapes that Stripe has for it. */
export interface Sample {
  readonly snapshot?: SampleObject
  readonly thin?: SampleObject
  /** What the thin event's related object is. */
  readonly related: SampleObject
  /** What the thin event has besides once it is fetched. */
  readonly fetchedData?: object
}

/** Body of an event as Stripe sends it: indented JSON, about an object of its own, so that no two events share a lane. */
export function buildSampleEvent(request: SampleRequest): string {
  const { snapshot, thin } = createSample(request)
  return JSON.stringify(isThinType(request.type) ? thin : snapshot, null, 2)
}

/** The events of the type and of its twin, if it has one, with ids of their own. */
export function createSample(request: SampleRequest): Sample {
  const { type, edit = (snapshot) => snapshot } = request
  const facts = createFacts(request)
  const name = type.startsWith('v1.') ? twinOf(type) : type
  const thinName = isThinType(name) ? name : twinOf(name)
  const made = createObject(name, facts)
  const snapshot = !isThinType(name) && isKnownType(name) ? edit(createSnapshot(name, request, facts, made)) : undefined
  const object = objectOf(snapshot) ?? made
  const thin = isEventType(thinName) ? createThin(thinName, request, facts, { snapshot, object }) : undefined
  const data = Object.entries(fetchedData).find(([each]) => each === thinName)?.[1](facts)
  return {
    ...(snapshot && { snapshot }),
    ...(thin && { thin }),
    related: relatedOf(object),
    ...(data && { fetchedData: data }),
  }
}

function objectOf(snapshot: SampleObject | undefined): SampleObject | undefined {
  // A snapshot is made with both; whoever edits it keeps them, or its twin names nothing.
  return (snapshot?.data as { object?: SampleObject } | undefined)?.object
}

// https://docs.stripe.com/api/events/object
function createSnapshot(
  type: string,
  { account }: SampleRequest,
  facts: SampleFacts,
  object: SampleObject,
): SampleObject {
  const previous = Object.entries(previousAttributes).find(([name]) => name === type)?.[1]
  return {
    id: facts.createId('evt_'),
    object: 'event',
    ...(account === undefined ? {} : { account }),
    api_version: Stripe.API_VERSION,
    ...(account === undefined ? {} : { context: account }),
    created: facts.createdSeconds,
    data: { object, ...(previous && { previous_attributes: previous }) },
    livemode: facts.livemode,
    pending_webhooks: 1,
    request: createRequest(type, facts) ?? { id: null, idempotency_key: null },
    type,
  }
}

// https://docs.stripe.com/api/v2/core/events/event-notification
function createThin(
  type: string,
  { account, now }: SampleRequest,
  facts: SampleFacts,
  { snapshot, object }: { snapshot: SampleObject | undefined; object: SampleObject },
): SampleObject {
  const relatedObject = describeRelatedObject(type, object)
  const request = createRequest(type, facts)
  return {
    id: facts.createId(type === PING ? 'evt_test_' : 'evt_'),
    object: 'v2.core.event',
    ...(account === undefined ? {} : { context: account }),
    created: now.toISOString(),
    livemode: facts.livemode,
    ...(request && { reason: { type: 'request', request: snapshot?.request ?? request } }),
    ...(relatedObject && { related_object: relatedObject }),
    ...(snapshot && { snapshot_event: snapshot.id }),
    type,
  }
}

const PING = 'v2.core.event_destination.ping'

function createFacts({ account, livemode = false, now, createId = createRandomId }: SampleRequest): SampleFacts {
  const createdSeconds = Math.floor(now.getTime() / 1_000)
  return { account: account ?? createId('acct_'), livemode, createdSeconds, createId }
}

/** What someone asked for; Stripe's events about what happened by itself name no request. */
const asked = /\.(created|updated|deleted|attached|detached|succeeded|canceled|captured|refunded|finalized|voided)$/

function createRequest(type: string, facts: SampleFacts) {
  if (!asked.test(type) || type.includes('dispute')) return undefined
  return { id: facts.createId('req_'), idempotency_key: randomUUID() }
}

/** As long as Stripe's, which begin with 1 too. */
function createRandomId(prefix: string): string {
  return `${prefix}1${randomBytes(32).toString('base64').replace(/\W/g, '').slice(0, 23)}`
}
