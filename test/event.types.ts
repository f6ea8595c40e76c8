// Claims about the types. Nothing runs this file: a wrong claim, or an error that stopped being one, fails tsc.
import type Stripe from 'stripe'
import type { snapshotTypes, thinTypes } from '../src/event/known-types.ts'
import type { lanesWithoutId } from '../src/event/lane.ts'
import type {
  AnswerMap,
  EventOf,
  EventType,
  FallbackContext,
  Handler,
  HandlerContext,
  HandlerMap,
  PreviewType,
  SnapshotType,
  ThinType,
} from '../src/event.ts'
import type {
  accountSingletons,
  snapshotsWithoutId,
  TwinType,
  thinsWithoutId,
  thinsWithoutObject,
} from './support/sdk-twins.ts'

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

// Lanes go by an object's id where both shapes of a type declare one, of the same object.
type None<Found extends string, Mend extends string> = [Found] extends [never] ? true : `${Mend}: ${Found}`
type ObjectOf<T extends TwinType> = EventOf<T>['data']['object']
type ThinOf<T extends TwinType> = EventOf<`v1.${T}`>
type WithId = { readonly id: string }
type Those<Is extends { [T in TwinType]: boolean }> = { [T in TwinType]: Is[T] extends true ? T : never }[TwinType]
type NamedInBoth = Those<{
  [T in TwinType]: ThinOf<T> extends { related_object: WithId; fetchRelatedObject(): Promise<infer Fetched> }
    ? ObjectOf<T> extends WithId
      ? Same<Fetched, ObjectOf<T>>
      : false
    : false
}>
type Listed = keyof typeof lanesWithoutId
type NotNamedInBoth = Exclude<TwinType, NamedInBoth>
claim<
  None<
    Exclude<NotNamedInBoth, Listed>,
    'lanesWithoutId in src/event/lane.ts lacks, and needs to say what makes the lane of'
  >
>()
claim<
  None<
    Exclude<Listed, NotNamedInBoth>,
    'take out of lanesWithoutId in src/event/lane.ts, both shapes now name the object of'
  >
>()

// So do the tests' lists of what each shape names.
type SnapshotWithoutId = Those<{ [T in TwinType]: ObjectOf<T> extends WithId ? false : true }>
type ThinWithoutObject = Those<{ [T in TwinType]: ThinOf<T> extends { related_object: unknown } ? false : true }>
type ThinWithoutId = Those<{
  [T in TwinType]: ThinOf<T> extends { related_object: infer Named } ? (Named extends WithId ? false : true) : false
}>
type OnePerAccount = Those<{
  [T in TwinType]: T extends SnapshotWithoutId & (ThinWithoutId | ThinWithoutObject)
    ? ObjectOf<T> extends { customer: unknown }
      ? false
      : true
    : false
}>
claim<Same<SnapshotWithoutId, (typeof snapshotsWithoutId)[number]>>()
claim<Same<ThinWithoutObject, (typeof thinsWithoutObject)[number]>>()
claim<Same<ThinWithoutId, (typeof thinsWithoutId)[number]>>()
claim<Same<OnePerAccount, (typeof accountSingletons)[number]>>()

// A handler's event is narrowed by the key it stands under.
export const narrowed = {
  'payment_intent.succeeded': (event) => void event.data.object.amount_received,
  'v1.payment_intent.succeeded': async (event, ctx) => {
    const payment: Stripe.PaymentIntent = await event.fetchRelatedObject()
    ctx.log.info({ status: payment.status }, 'payment fetched')
  },
  'v2.core.event_destination.ping': (event) => void event.related_object,
} satisfies HandlerMap

// A type that the SDK does not declare yet can be named too. Once it does, its own declaration is to take the place of ours.
claim<Same<Extract<ThinType, PreviewType>, never>>()
export const inPreview = {
  'v2.core.health.event_generation_failure.resolved': async (event) => {
    const { impact } = (await event.fetchEvent()).data
    const lost: string = impact.event_type
    void lost
  },
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

// What ctx.latest() gives goes by the event too.
type LatestOfType<T extends EventType> = Awaited<ReturnType<HandlerContext<EventOf<T>>['latest']>>
claim<Same<LatestOfType<'customer.subscription.updated'>, Stripe.Subscription | undefined>>()
claim<Same<LatestOfType<'v1.payout.failed'>, Stripe.Payout | undefined>>()
claim<Same<LatestOfType<'v1.account.application.deauthorized'>, undefined>>()
claim<Same<Awaited<ReturnType<FallbackContext['latest']>>, unknown>>()
export const latest = {
  'customer.subscription.updated': async (_event, ctx) => {
    const subscription = await ctx.latest()
    // @ts-expect-error it may be deleted by now
    void subscription.status
    void subscription?.status
  },
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

// A map of answers is typed by the request: what is misspelt in an answer, or left out, is an error.
const card = { withinMs: 1_500, otherwise: { approved: false } }
void ({
  'issuing_authorization.request': {
    ...card,
    answer: (event) => {
      claim<Same<typeof event.data.object, Stripe.Issuing.Authorization>>()
      return { approved: true, amount: 1 }
    },
  },
  'v1.delegated_checkout.finalize_checkout': {
    withinMs: 3_000,
    otherwise: { manual_approval_details: { type: 'declined', declined: { reason: 'busy' } } },
    answer: async ({ data }) => ({ manual_approval_details: { type: data.amount_total ? 'approved' : 'approved' } }),
  },
  'v1.delegated_checkout.other': {
    withinMs: 3_000,
    otherwise: {},
    answer: (request) => {
      claim<Same<typeof request, unknown>>()
      return {}
    },
  },
} satisfies AnswerMap)
const approve = () => ({ approved: true })
const approvs = () => ({ approvd: true })
// @ts-expect-error: what to reply otherwise is required.
void ({ 'issuing_authorization.request': { withinMs: 1, answer: approve } } satisfies AnswerMap)
// @ts-expect-error: misspelt, though the function looks at nothing.
void ({ 'issuing_authorization.requets': { ...card, answer: approve } } satisfies AnswerMap)
// @ts-expect-error: the answer to it is `approved`.
void ({ 'issuing_authorization.request': { ...card, answer: approvs } } satisfies AnswerMap)
// @ts-expect-error: the answer to it is none.
void ({ 'v1.delegated_checkout.finalize_checkout': { ...card, answer: approve } } satisfies AnswerMap)
