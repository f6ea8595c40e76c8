import type Stripe from 'stripe'
import type { EventShape } from '../event.ts'
import type { Destination } from './destinations.ts'

/** A destination to create: a webhook for the types, rendered with the SDK's API version. */
export interface DestinationPlan {
  readonly url: URL
  readonly shape: EventShape
  readonly from: 'account' | 'connect' | 'both'
  readonly types: readonly string[]
  readonly apiVersion: string
}

const eventsFrom = { account: ['@self'], connect: ['@accounts'], both: ['@self', '@accounts'] } as const

/** Creates it. `secret` is its signing secret, which Stripe hands out here only; undefined when it did not. */
export async function createDestination(
  client: Stripe,
  { url, shape, from, types, apiVersion }: DestinationPlan,
): Promise<{ readonly id: string; readonly secret: string | undefined }> {
  const created = await client.v2.core.eventDestinations.create({
    name: `stripe-webhook-receiver, ${shape} events${from === 'connect' ? ' of connected accounts' : ''}`,
    type: 'webhook_endpoint',
    event_payload: shape,
    enabled_events: [...types],
    events_from: [...eventsFrom[from]],
    ...(shape === 'snapshot' && { snapshot_api_version: apiVersion }),
    webhook_endpoint: { url: url.href },
    include: ['webhook_endpoint.signing_secret'],
  })
  return { id: created.id, secret: created.webhook_endpoint?.signing_secret }
}

type Listed = Pick<Destination, 'id' | 'listedBy'>

/** Has it send exactly these types from now on. */
export async function sendTypes(client: Stripe, { id, listedBy }: Listed, types: readonly string[]): Promise<void> {
  if (listedBy === 'v1') {
    // The SDK's union lags behind Stripe's types, and Stripe refuses what it does not know.
    const enabled_events = [...types] as Stripe.WebhookEndpointUpdateParams.EnabledEvent[]
    await client.webhookEndpoints.update(id, { enabled_events })
  } else await client.v2.core.eventDestinations.update(id, { enabled_events: [...types] })
}

/** Has it send nothing from now on. Its events of that time are not sent later either. */
export async function disableDestination(client: Stripe, { id, listedBy }: Listed): Promise<void> {
  if (listedBy === 'v1') await client.webhookEndpoints.update(id, { disabled: true })
  else await client.v2.core.eventDestinations.disable(id)
}

/** Has Stripe send a ping there; the event's id. */
export async function pingDestination(client: Stripe, id: string): Promise<string> {
  const event = await client.v2.core.eventDestinations.ping(id)
  return event.id
}
