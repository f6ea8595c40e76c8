import type { HandlerContext } from '../../event.ts'
import { idOf, isoTime } from './format.ts'
import { notFetched, type ObjectOf } from './related-object.ts'

type Subscription = ObjectOf<'customer.subscription.deleted'>

/**
 * Says which subscription ended, when and why. Warns when it ended because it was not paid for, or that payment was disputed. What its
 * customer wrote about it stays out of the log.
 */
export function subscriptionDeleted(subscription: Subscription | undefined, ctx: HandlerContext): void {
  const facts = subscription ? factsOf(subscription) : notFetched
  const reason = subscription?.cancellation_details?.reason
  const level = reason === 'payment_failed' || reason === 'payment_disputed' ? 'warn' : 'info'
  ctx.log[level]({ objectId: ctx.entry.objectId, ...facts }, 'subscription ended')
  // Your own action goes here: take away what the subscription gave to its customer, in a way that may run twice.
}

function factsOf(subscription: Subscription) {
  return {
    status: subscription.status,
    reason: subscription.cancellation_details?.reason ?? null,
    feedback: subscription.cancellation_details?.feedback ?? null,
    endedAt: isoTime(subscription.ended_at),
    customer: idOf(subscription.customer) ?? subscription.customer_account ?? null,
    prices: subscription.items?.data.map(({ price }) => price.id) ?? null,
  }
}
