import type { EventOf, HandlerContext } from '../../event.ts'
import { notFetched } from './related-object.ts'

type Failure = EventOf<'v2.core.health.event_generation_failure.resolved'>
type Fetch = (
  stripe: HandlerContext['stripe'],
  id: string,
  options: { readonly stripeContext?: string },
) => Promise<{ readonly object: string }>

/** What the built-in handlers are about, by the beginning of an id. */
const fetchers: ReadonlyMap<string, Fetch> = new Map<string, Fetch>([
  ['acct', (stripe, id, options) => stripe.accounts.retrieve(id, {}, options)],
  ['ch', (stripe, id, options) => stripe.charges.retrieve(id, {}, options)],
  ['dp', (stripe, id, options) => stripe.disputes.retrieve(id, {}, options)],
  ['du', (stripe, id, options) => stripe.disputes.retrieve(id, {}, options)],
  ['in', (stripe, id, options) => stripe.invoices.retrieve(id, {}, options)],
  ['pi', (stripe, id, options) => stripe.paymentIntents.retrieve(id, {}, options)],
  ['pm', (stripe, id, options) => stripe.paymentMethods.retrieve(id, {}, options)],
  ['po', (stripe, id, options) => stripe.payouts.retrieve(id, {}, options)],
  ['py', (stripe, id, options) => stripe.charges.retrieve(id, {}, options)],
  ['sub', (stripe, id, options) => stripe.subscriptions.retrieve(id, {}, options)],
])

/**
 * Warns that Stripe failed to make an event, which will never come: of which type, and how its object is now. The notification does
 * not say, so without STRIPE_API_KEY there is nothing to tell. docs.stripe.com/webhooks/handle-irrecoverable-events
 */
export async function eventGenerationFailed(event: Failure, ctx: HandlerContext): Promise<void> {
  ctx.log.warn(ctx.hasApiKey ? await findLost(event, ctx) : notFetched, 'Stripe could not make an event')
}

async function findLost(event: Failure, ctx: HandlerContext) {
  const { impact } = (await event.fetchEvent()).data
  const objectId = impact.related_object?.id ?? impact.related_object_id ?? null
  const fetch = fetchers.get(objectId?.split('_')[0] ?? '')
  // The object may be a connected account's, and the event the platform's.
  const options = impact.context ? { stripeContext: impact.context } : {}
  const object = objectId === null ? undefined : await fetch?.(ctx.stripe, objectId, options)
  // Your own action goes here: do for the object what your handler of this type would have done.
  return {
    objectId,
    lostType: impact.event_type,
    context: impact.context ?? null,
    fetched: object !== undefined,
    ...(object && 'status' in object && { status: object.status }),
  }
}
