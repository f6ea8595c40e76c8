import type Stripe from 'stripe'
import type { Log } from './log.ts'

/** Type of a snapshot event (`object: "event"`), such as `payment_intent.succeeded`. */
export type SnapshotType = Stripe.Event['type']
/** Type of a thin event (`object: "v2.core.event"`), such as `v1.payment_intent.succeeded`. */
export type ThinType = Stripe.V2.Core.EventNotification['type']
/** Type of a thin event that Stripe has in preview, and the SDK does not declare. */
export type PreviewType = PreviewEvent['type']
/** Every event type of the installed SDK, and those in preview that are known here. */
export type EventType = SnapshotType | ThinType | PreviewType

/** The event for a type: `data.object` of a snapshot and `fetchRelatedObject()` of a thin event are narrowed by it. */
export type EventOf<T extends EventType> = Extract<
  Stripe.Event | Stripe.V2.Core.EventNotification | PreviewEvent,
  { type: T }
>

/** Stripe failed to make an event. docs.stripe.com/api/v2/core/events/event-types */
interface PreviewEvent extends Stripe.V2.Core.Events.UnknownEventNotification {
  type: 'v2.core.health.event_generation_failure.resolved'
  fetchEvent: () => Promise<Stripe.V2.Core.Event & { data: { impact: EventGenerationImpact } }>
}

/** The event that was not made, and its object: by `related_object` since API version 2025-11-17. */
interface EventGenerationImpact {
  readonly event_type: string
  readonly related_object_id?: string
  readonly related_object?: { readonly id: string; readonly type: string; readonly url: string }
  /** Whose the object is; left out when it is that of the event. */
  readonly context?: string
}

/** What a fallback gets: an event of a type without a handler, perhaps one that the SDK does not know. */
export type AnyEvent = Stripe.Event | Stripe.V2.Core.EventNotification | Stripe.V2.Core.Events.UnknownEventNotification

/**
 * A user's function for one event type. Returning settles the entry as handled; throwing lets it be retried;
 * throwing `PermanentError` makes it dead at once. It must be safe to run twice.
 */
export type Handler<T extends EventType> = (event: EventOf<T>, ctx: HandlerContext<EventOf<T>>) => void | Promise<void>

/** Event type → handler. Write a map with `satisfies HandlerMap`, so that a misspelt type is a compile error. */
export type HandlerMap = { readonly [T in EventType]?: Handler<T> }

/** A service of the user's that events are forwarded to. What is left out of `types`, `accounts`, `shapes`, `mode` and `where` fits all. */
export interface Target {
  /** `http:` or `https:`, without a user and password. */
  readonly url: string
  /** Where its signing secrets (`whsec_…`) stand in the environment: `env('SHOP_SECRET')`; two while one is rolled. */
  readonly secrets: readonly EnvironmentVariable[]
  /**
   * `stripe`: the `Stripe-Signature` that Stripe's SDKs verify. `standard`: the headers of Standard Webhooks, whose secrets look the same
   * and are used differently. standardwebhooks.com
   */
  readonly sign: 'stripe' | 'standard'
  /** Event types, exact or with `*` for any run of characters: `payment_intent.*`. */
  readonly types?: readonly string[]
  /** Connected accounts (`acct_…`). */
  readonly accounts?: readonly string[]
  readonly shapes?: readonly EventShape[]
  readonly mode?: 'live' | 'test'
  /**
   * Asked once, when the event arrives, and after all the others; must go by the event alone. When it throws, or gives anything but true
   * or false, the forward is held with the reason.
   */
  readonly where?: (event: ForwardedEvent) => boolean
  /** Requests at once, from each working process; 1 to 256, 8 unless told. */
  readonly concurrency?: number
  /** Requests that begin in a second, from each working process; 1 to 10,000, no limit unless told. */
  readonly perSecond?: number
  /** From the beginning of an attempt to the end of the answer, 100 to 60,000; 10,000 unless told. */
  readonly timeoutMs?: number
  /**
   * Keeps the events of one object, or of whatever shares a lane, in order of arrival: the next begins once the one before it is delivered
   * or given up, so that one that fails holds back those after it for as long as it is retried.
   */
  readonly order?: 'lane'
  /** Statuses of answers, 400 to 599, after which no retry is made: `[422]`. */
  readonly final?: readonly number[]
  /** A PEM file, absolute or from the working directory: its certificate is verified by these authorities alone. */
  readonly ca?: string
}

/** Name → target. A name is a stable key, `[a-z][a-z0-9-]*`, 32 characters at most. Write it with `satisfies Targets`. */
export type Targets = Readonly<Record<string, Target>>

/** An event as `where` gets it, parsed. A thin one has no `data.object`: reading that throws, so name `shapes` beside such a `where`. */
export interface ForwardedEvent {
  readonly id: string
  readonly type: string
  readonly object: 'event' | 'v2.core.event'
  readonly livemode: boolean
  readonly account?: string
  readonly context?: string | null
  readonly data: {
    readonly object: ForwardedObject
    readonly previous_attributes?: Readonly<Record<string, unknown>>
  }
}

interface ForwardedObject {
  readonly object: string
  readonly id?: string
  readonly metadata?: Readonly<Record<string, string>> | null
  readonly [field: string]: unknown
}

/** Names a variable of the environment, whose value no module needs to hold. */
export interface EnvironmentVariable {
  readonly variable: string
}

/** What stands in that variable, read when the server starts; several values are separated by commas. */
export function env(variable: string): EnvironmentVariable {
  return { variable }
}

/** Runs for a type without a handler. `ctx.known` tells whether the SDK knows the type. */
export type Fallback = (event: AnyEvent, ctx: FallbackContext) => void | Promise<void>

/**
 * Names the lane of an event when it arrives, within its account; undefined for the default one, by its object. Must go by the event
 * alone, and give both shapes of one change the same: events of one lane never run at the same time. 1 to 255 printable ASCII
 * characters without spaces; at anything else, and when it throws, the default lane is taken.
 */
export type LaneOf = (event: AnyEvent) => string | undefined

/** What a module of handlers exports, once it was checked. */
export interface Handlers {
  readonly map: HandlerMap
  readonly fallback?: Fallback | undefined
  readonly lane?: LaneOf | undefined
  /** Types with a built-in handler whose twin has one of the user's: handling them does not count for the twin. */
  readonly yielding?: ReadonlySet<string> | undefined
}

/** The object that an event is about: what a snapshot holds as `data.object`, what a thin event fetches; never, where it names none. */
export type LatestOf<E> = E extends { data: { object: infer Held } }
  ? Held
  : E extends { fetchRelatedObject(): Promise<infer Fetched> }
    ? Fetched
    : never

/** What a handler is given beside the event. */
export interface HandlerContext<E extends AnyEvent = AnyEvent> {
  /** Client bound to the event's account or context, else to the platform. Reading it without STRIPE_API_KEY throws `PermanentError`. */
  readonly stripe: Stripe
  /** Whether STRIPE_API_KEY is set, so that `stripe`, `latest()` and a thin event's fetches work. */
  readonly hasApiKey: boolean
  /**
   * The event's object as it is now at Stripe, in the SDK's API version; undefined once it was deleted and Stripe says so (a customer).
   * Rejects with `PermanentError` when no retry can help: without STRIPE_API_KEY, when the event names no object that Stripe can be
   * asked for, and when that is not there (404: deleted, or of the other mode than the key). With the SDK's error otherwise.
   */
  latest(): Promise<LatestOf<E> | undefined>
  /**
   * When this attempt began, a newer entry of the same object, of any type, had been handled by a handler of its own: what the event
   * holds is out of date. Newer is what came here later, and Stripe does not deliver in order: `latest()` tells for sure.
   */
  readonly isSuperseded: boolean
  /** Logger that adds the event's id, type and account to each line. */
  readonly log: Log
  /** 1 for the first attempt since the entry was received or replayed. */
  readonly attempt: number
  /** Aborts at the time limit and at shutdown; hand it to whatever waits. */
  readonly signal: AbortSignal
  /** Stable over all attempts of this event; for idempotent calls to other APIs. */
  readonly idempotencyKey: string
  /** The facts stored beside the raw body. */
  readonly entry: EntryFacts
}

export interface FallbackContext extends HandlerContext {
  readonly known: boolean
}

/** What a user's function for an answer is given beside the request. */
export interface AnswerContext {
  /** Aborts once an answer is of no use any more; hand it to whatever waits. */
  readonly signal: AbortSignal
  /** Logger that adds the request's id, type and account to each line. */
  readonly log: Log
}

/** How one type of Stripe's requests is answered. */
export interface Answerer<Request, Reply> {
  /** When the reply goes out at the latest, in milliseconds from the head of the request: 10 or more, and less than Stripe waits. */
  readonly withinMs: number
  /** Replied when there is no answer by then, and when the function throws or answers what Stripe does not take. */
  readonly otherwise: Reply
  /** Must be safe to run twice. */
  answer(request: Request, ctx: AnswerContext): Reply | Promise<Reply>
}

/** docs.stripe.com/issuing/controls/real-time-authorizations */
export interface AuthorizationReply {
  readonly approved: boolean
  /** How much to hold, above zero; where `pending_request.is_amount_controllable` alone. */
  readonly amount?: number | undefined
  readonly metadata?: Stripe.MetadataParam | undefined
}

/** A request of agentic commerce: signed as an event, and none. docs.stripe.com/agentic-commerce/for-sellers/hooks */
export interface HookRequest<Type extends string> {
  readonly id: string
  readonly type: Type
  readonly livemode: boolean
  /** The account. */
  readonly context?: string
  readonly data: Readonly<Record<string, unknown>>
}

/** Whether an order is taken. */
export interface FinalizeCheckoutReply {
  readonly manual_approval_details:
    | { readonly type: 'approved' }
    | { readonly type: 'declined'; readonly declined: { readonly reason: string } }
  readonly [more: string]: unknown
}

/** What an order costs beside its goods. */
export interface CustomizeCheckoutReply {
  readonly shipping_options?: readonly unknown[] | undefined
  readonly line_items?: readonly unknown[] | undefined
  readonly [more: string]: unknown
}

/**
 * Type of Stripe's request → how it is answered. Write a map with `satisfies AnswerMap`. Requests of agentic commerce that are not known
 * here are `unknown`.
 */
export interface AnswerMap {
  readonly 'issuing_authorization.request'?: Answerer<EventOf<'issuing_authorization.request'>, AuthorizationReply>
  readonly 'v1.delegated_checkout.finalize_checkout'?: Answerer<
    HookRequest<'v1.delegated_checkout.finalize_checkout'>,
    FinalizeCheckoutReply
  >
  readonly 'v1.delegated_checkout.customize_checkout'?: Answerer<
    HookRequest<'v1.delegated_checkout.customize_checkout'>,
    CustomizeCheckoutReply
  >
  readonly [type: `v${number}.${string}`]: Answerer<unknown, unknown> | undefined
}

/** Parses stored events, and lends SDK clients that act for them. */
export interface EventSource {
  readonly hasApiKey: boolean
  /** The API version that the SDK's types are for. */
  readonly apiVersion: string
  /** Raw body → the SDK's event. */
  parse(entry: Pick<EntryFacts, 'shape'>, body: Uint8Array): AnyEvent
  /** Client that acts for the event's account or context, else for the platform. */
  clientFor(event: AnyEvent): Stripe
  /** As `HandlerContext.latest`. */
  fetchLatest<E extends AnyEvent>(event: E): Promise<LatestOf<E> | undefined>
  /** Runs it so that the signal ends every request to Stripe made inside, by any of the clients, and their sockets. */
  runWithin<T>(signal: AbortSignal, run: () => T): T
}

export type EventShape = 'snapshot' | 'thin'
/** Which of the two routes took a delivery: `/webhook` or `/webhook/connect`. */
export type WebhookRoute = 'account' | 'connect'

/** What is stored about an event beside its raw body, known from the first delivery on. */
export interface EntryFacts {
  readonly eventId: string
  /** Any string: Stripe may send types that this SDK does not know. */
  readonly type: string
  readonly shape: EventShape
  /** The connected account (`acct_…`): a snapshot's `account`, or the last part of a thin event's `context`. */
  readonly account: string | null
  /** Id of the object the event is about; null when it has none (a balance) or a thin event names none. */
  readonly objectId: string | null
  /** Entries of one lane never run at the same time. */
  readonly lane: string
  /** Of a thin event: id of the snapshot event that tells of the same change, when Stripe names it. */
  readonly snapshotEventId: string | null
  /** Null when the event does not say. */
  readonly livemode: boolean | null
  /** Version that rendered a snapshot; null on thin events, and when Stripe sent null. */
  readonly apiVersion: string | null
  /** Stripe's `created`; null when absent. Never an order. */
  readonly createdAt: Date | null
  /** When it became durable here, by the store's clock. */
  readonly receivedAt: Date
  readonly route: WebhookRoute
  /** Delivered by Stripe, or fetched from its API because it could not be delivered. */
  readonly source: 'delivery' | 'reconcile'
  /** Which secret matched: position in its list (from 1) and last four characters, as `1:…abcd`; empty when it was fetched. */
  readonly secret: string
}

export type EntryState = 'pending' | 'running' | 'handled' | 'unhandled' | 'parked' | 'dead'
export const entryStates: readonly EntryState[] = ['pending', 'running', 'handled', 'unhandled', 'parked', 'dead']

/** One stored row, one per event id. */
export interface Entry extends EntryFacts {
  readonly state: EntryState
  /** Claims since it was received or last replayed. */
  readonly attempts: number
  /** How many times an operator replayed it. */
  readonly replays: number
  /** When a pending entry may be claimed. */
  readonly dueAt: Date
  /** Null while it is pending or running. */
  readonly settledAt: Date | null
  /** Why it was retried, parked, given up, or does not count as handled for its twin; null when there is nothing to tell. */
  readonly reason: string | null
}

/** An entry to add: the facts known from a delivery, and the exact bytes that Stripe signed. */
export interface NewEntry extends Omit<EntryFacts, 'receivedAt'> {
  readonly body: Uint8Array
  /** What it can be found by beside its facts; none when left out. */
  readonly values?: readonly string[]
  /** To which targets it goes; none when left out. */
  readonly forwards?: readonly NewForward[]
  /** `parked` sets it aside at once, with the reason. `handled` is a request that is answered in its delivery: no worker gets it. */
  readonly state: 'pending' | 'parked' | 'handled'
  readonly reason: string | null
}

/** What was replied to a request of Stripe's that wants an answer. */
export interface Decision {
  /** What the reply's body said, as JSON. */
  readonly answer: unknown
  /** By the user's function, or with its `otherwise`: because it did not answer in time, or because it failed. */
  readonly how: 'answered' | 'otherwise' | 'failed'
  /** From the head of the request to the decision. */
  readonly durationMs: number
  /** Why `otherwise` was replied; null when the function answered. */
  readonly reason: string | null
}

/** One entry's way to one target, to be stored with the entry. */
export interface NewForward {
  readonly target: string
  /** How many receivers it has been through, this one included. */
  readonly hops: number
  /** Why it is held from the start; null when it may go. */
  readonly held: string | null
  /** Where the target keeps the order of each lane. */
  readonly order?: 'lane' | undefined
}

/** The right of one worker to work on an entry, from a claim until it settles or the lease runs out. */
export interface Lease {
  readonly entry: EntryFacts
  readonly body: Uint8Array
  /** Counts from 1 since it was received or last replayed, this claim included. */
  readonly attempt: number
  /** Id of the event that told of the same change in the other shape and was handled by its handler; null after a replay of this one. */
  readonly handledTwin: string | null
  /**
   * A newer entry of the same object was handled by a handler of its own: one of the same account that came later. Never for its
   * own twin, nor for an event that names no object.
   */
  readonly isSuperseded: boolean
  /** Whether a target takes it, so that it needs no handler. */
  readonly isForwarded: boolean
  /** Why the attempt before this one failed, or that it was lost; null at the first. */
  readonly lastFailure: string | null
  /** The store's own mark of this lease; settling checks it. */
  readonly token: string
}

/** How an attempt ended. */
export type Outcome =
  | { readonly state: 'unhandled' }
  /** With a reason, it does not count for its twin: handled without a handler, or by a built-in one beside the twin's own. */
  | { readonly state: 'handled'; readonly reason?: string }
  | { readonly state: 'dead'; readonly error: string }
  /** To be retried after the delay. */
  | { readonly state: 'pending'; readonly retryInMs: number; readonly error: string }

/** What is recorded of an attempt that ended so. */
export const attemptOutcomes = {
  handled: 'handled',
  unhandled: 'unhandled',
  pending: 'retried',
  dead: 'dead',
} as const satisfies Record<Outcome['state'], Attempt['outcome']>

/** One claim of an entry, as recorded. */
export interface Attempt {
  readonly number: number
  /** 0 for those before the first replay. */
  readonly replay: number
  readonly startedAt: Date
  readonly endedAt: Date
  /** `lost`: its process died, or its lease ran out. */
  readonly outcome: 'handled' | 'unhandled' | 'retried' | 'dead' | 'lost'
  readonly error: string | null
}
