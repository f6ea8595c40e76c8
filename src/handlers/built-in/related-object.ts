import { PermanentError } from '../../errors.ts'
import type { EventOf, HandlerContext, SnapshotType } from '../../event.ts'

/** What a snapshot event of the type holds as `data.object`. Its thin twin is about the same object. */
export type ObjectOf<T extends SnapshotType> = EventOf<T>['data']['object']

/** Stands in a log line for the facts of an object that was not fetched. */
export const notFetched = { fetched: false } as const

/**
 * The object that a thin event is about, as it is now at Stripe, not as it was at the event. Undefined without
 * STRIPE_API_KEY: a handler can then say only what the notification tells. Rejects with `PermanentError` when no retry can
 * help, because the object is gone or its account is; with the SDK's error otherwise, so that the event is retried.
 */
export async function relatedObject<T>(
  event: { fetchRelatedObject(): Promise<T> },
  ctx: HandlerContext,
): Promise<NonNullable<T> | undefined> {
  if (!ctx.hasApiKey) return undefined
  try {
    // The SDK resolves null, against its type, when a notification names no object.
    return (await event.fetchRelatedObject()) ?? undefined
  } catch (error) {
    const reason = whyForGood(error, ctx)
    throw reason === undefined ? error : new PermanentError(reason)
  }
}

/**
 * Why fetching can't succeed any more; undefined when it may. Its entry is dead, not handled: nobody saw the object, and an
 * account that comes back makes a replay worth while. A key that was refused is not for good: someone mends it.
 */
function whyForGood(error: unknown, { entry }: HandlerContext): string | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || !('code' in error)) return undefined
  if (error.statusCode === 404 && (error.code === 'resource_missing' || error.code === 'not_found')) {
    return `related object is gone: Stripe says ${JSON.stringify(error.message)}; it was deleted since, or is of the other mode than STRIPE_API_KEY`
  }
  if (error.code === 'account_invalid') {
    return `account no longer connected: ${entry.account ?? 'the account of this event'} has left the platform of STRIPE_API_KEY; replay this event if it comes back`
  }
  return undefined
}
