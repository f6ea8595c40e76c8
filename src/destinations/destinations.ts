import type Stripe from 'stripe'
import type { EventShape } from '../event.ts'

/** Something that Stripe sends events to, however it is listed. */
export interface Destination {
  readonly id: string
  /** Which of the two APIs lists it: `/v1/webhook_endpoints`, `/v2/core/event_destinations`. Only v2 can ping. */
  readonly listedBy: 'v1' | 'v2' | 'both'
  /** Null when it is no webhook: EventBridge, Event Grid. */
  readonly url: string | null
  readonly shape: EventShape
  readonly from: Origin
  readonly isEnabled: boolean
  /** Version that renders its snapshots; null on a thin one, and where the account's default applies. */
  readonly apiVersion: string | null
  /** What it is asked to send; `*` stands for every type. */
  readonly types: readonly string[]
}

/** Whose events are sent. v1 tells only of some endpoints that they are for connected accounts: the others are `unknown`. */
export type Origin = 'account' | 'connect' | 'both' | 'organization' | 'unknown'

/** The type that a destination's ping has. It needs no subscription. */
export const PING_TYPE = 'v2.core.event_destination.ping'

type Endpoint = Pick<Stripe.WebhookEndpoint, 'id' | 'url' | 'application' | 'status' | 'api_version' | 'enabled_events'>

export function fromV1(endpoint: Endpoint): Destination {
  return {
    id: endpoint.id,
    listedBy: 'v1',
    url: endpoint.url,
    shape: 'snapshot',
    // `connect` is taken at creation and never returned; a platform's application is set on endpoints for connected accounts.
    from: endpoint.application ? 'connect' : 'unknown',
    isEnabled: endpoint.status === 'enabled',
    apiVersion: endpoint.api_version,
    types: endpoint.enabled_events,
  }
}

export function fromV2(destination: Stripe.V2.Core.EventDestination): Destination {
  return {
    id: destination.id,
    listedBy: 'v2',
    url: (destination.type === 'webhook_endpoint' && destination.webhook_endpoint?.url) || null,
    shape: destination.event_payload,
    from: readOrigin(destination.events_from ?? []),
    isEnabled: destination.status === 'enabled',
    apiVersion: destination.snapshot_api_version ?? null,
    types: destination.enabled_events,
  }
}

/** API versions before 2026 say `self` and `other_accounts`. Nothing said is the account's own. */
function readOrigin(eventsFrom: readonly string[]): Origin {
  const isConnect = eventsFrom.some((from) => from === '@accounts' || from === 'other_accounts')
  const isOwn = eventsFrom.length === 0 || eventsFrom.some((from) => from === '@self' || from === 'self')
  if (isConnect) return isOwn ? 'both' : 'connect'
  return isOwn ? 'account' : 'organization'
}

/**
 * One list of both. v2 lists v1's endpoints too: each is taken for the v2 destination of its id, else for one of the same URL,
 * types and version that no other was taken for.
 */
export function mergeDestinations(v1: readonly Destination[], v2: readonly Destination[]): Destination[] {
  const merged = [...v2]
  const takeFor = (isSame: (destination: Destination) => boolean): boolean => {
    const index = merged.findIndex((destination) => destination.listedBy === 'v2' && isSame(destination))
    const found = merged[index]
    if (found !== undefined) merged[index] = { ...found, listedBy: 'both' }
    return found !== undefined
  }
  const nameless = v1.filter((endpoint) => !takeFor(({ id }) => id === endpoint.id))
  const alone = nameless.filter((endpoint) => {
    const traits = describeTraits(endpoint)
    return !takeFor((destination) => describeTraits(destination) === traits)
  })
  return [...merged, ...alone]
}

function describeTraits({ url, shape, apiVersion, types }: Destination): string {
  return JSON.stringify([url, shape, apiVersion, types.toSorted()])
}
