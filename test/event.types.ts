// Claims about the types. Nothing runs this file: a wrong claim, or an error that stopped being one, fails tsc.
import type Stripe from 'stripe'
import type { snapshotTypes, thinTypes } from '../src/event/known-types.ts'
import type { EventOf, EventType, Handler, HandlerContext, HandlerMap, SnapshotType, ThinType } from '../src/event.ts'

// Compared inside functions, where `any` is the same as itself only.
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function claim<_Claim extends true>(): void {}

// An event type leads to its object.
claim<Same<EventOf<'payment_intent.succeeded'>['data']['object'], Stripe.PaymentIntent>>()
claim<Same<EventOf<'charge.dispute.created'>['data']['object'], Stripe.Dispute>>()
type Fetched = Awaited<ReturnType<EventOf<'v1.payment_intent.succeeded'>['fetchRelatedObject']>>
claim<Same<Fetched, Stripe.PaymentIntent>>()
claim<Same<EventOf<EventType>['type'], EventType>>()

// The lists of types are complete, and hold nothing that the SDK does not know.
claim<Same<Exclude<SnapshotType, (typeof snapshotTypes)[number]>, never>>()
claim<Same<Exclude<(typeof snapshotTypes)[number], SnapshotType>, never>>()
claim<Same<Exclude<ThinType, (typeof thinTypes)[number]>, never>>()
claim<Same<Exclude<(typeof thinTypes)[number], ThinType>, never>>()

// A handler's event is narrowed by the key it stands under.
export const narrowed = {
  'payment_intent.succeeded': (event) => void event.data.object.amount_received,
  'v1.payment_intent.succeeded': async (event, ctx) => {
    const payment: Stripe.PaymentIntent = await event.fetchRelatedObject()
    ctx.log.info({ status: payment.status }, 'payment fetched')
  },
  'v2.core.event_destination.ping': (event) => void event.related_object,
} satisfies HandlerMap

export const misspelt = {
  // @ts-expect-error no such type
  'payment_intent.suceeded': () => {},
} satisfies HandlerMap

export const wrongField = {
  // @ts-expect-error a payout has no payment_intent
  'payout.failed': (event) => void event.data.object.payment_intent,
} satisfies HandlerMap

const onSnapshot: Handler<'payment_intent.succeeded'> = (event) => void event.data.object.id
export const wrongShape = {
  // @ts-expect-error a thin event has no data
  'v1.payment_intent.succeeded': onSnapshot,
} satisfies HandlerMap

const onPayout: Handler<'payout.failed'> = (event) => void event.data.object.failure_code
export const wrongObject = {
  // @ts-expect-error a payment is no payout
  'payment_intent.succeeded': onPayout,
} satisfies HandlerMap

export const nothingToFetch = {
  // @ts-expect-error this notification names no object
  'v1.account.application.deauthorized': (event) => event.fetchRelatedObject(),
} satisfies HandlerMap

export const wrongResult = {
  // @ts-expect-error what a handler returns is not looked at
  'balance.available': () => 'done',
} satisfies HandlerMap

export function readsContext(ctx: HandlerContext): void {
  // @ts-expect-error a handler reads its context only
  ctx.attempt = 1
}
