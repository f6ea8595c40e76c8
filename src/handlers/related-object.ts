import type { EventOf, HandlerContext, SnapshotType } from '../event.ts'

/** What a snapshot event of the type holds as `data.object`. Its thin twin is about the same object. */
export type ObjectOf<T extends SnapshotType> = EventOf<T>['data']['object']

/** Stands in a log line for the facts of an object that was not fetched. */
export const notFetched = { fetched: false } as const

/**
 * The object that a thin event is about, as it is now at Stripe, not as it was at the event. Undefined without
 * STRIPE_API_KEY: a handler can then say only what the notification tells. Rejects with the SDK's error, so that the
 * event is retried.
 */
export async function relatedObject<T>(
  event: { fetchRelatedObject(): Promise<T> },
  ctx: HandlerContext,
): Promise<NonNullable<T> | undefined> {
  if (!ctx.hasApiKey) return undefined
  // The SDK resolves null, against its type, when a notification names no object.
  return (await event.fetchRelatedObject()) ?? undefined
}
