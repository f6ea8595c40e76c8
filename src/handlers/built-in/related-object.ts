import type { AnyEvent, EventOf, HandlerContext, LatestOf, SnapshotType } from '../../event.ts'

/** What a snapshot event of the type holds as `data.object`. Its thin twin is about the same object. */
export type ObjectOf<T extends SnapshotType> = EventOf<T>['data']['object']

/** Stands in a log line for the facts of an object that was not fetched. */
export const notFetched = { fetched: false } as const

/**
 * The object that a thin event is about, as it is now at Stripe, not as it was at the event. Undefined when it was deleted since, and
 * without STRIPE_API_KEY: a handler can then say only what the notification tells. Rejects as `ctx.latest()`.
 */
export async function relatedObject<E extends AnyEvent>(ctx: HandlerContext<E>): Promise<LatestOf<E> | undefined> {
  return ctx.hasApiKey ? ctx.latest() : undefined
}
