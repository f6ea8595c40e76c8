import type Stripe from 'stripe'
import { PermanentError } from '../errors.ts'
import type { AnyEvent, LatestOf } from '../event.ts'
import { fetchers, singletons } from './fetchers.ts'

/**
 * The object that the event is about, as it is now at Stripe; undefined once it is deleted and Stripe says so. Rejects with
 * `PermanentError` when no retry can help: the event names no object, Stripe has no address for it, or it or its account is gone.
 * With the SDK's error otherwise. The client is that of the event; a thin event asks by the one that parsed it.
 */
export async function fetchLatest<E extends AnyEvent>(stripe: Stripe, event: E): Promise<LatestOf<E> | undefined> {
  const fetched = await (event.object === 'event' ? fetchOfSnapshot(stripe, event) : fetchOfThin(event)).catch(
    (error: unknown) => {
      const reason = whyForGood(error, event)
      throw reason === undefined ? error : new PermanentError(reason)
    },
  )
  if (typeof fetched === 'object' && fetched !== null && 'deleted' in fetched && fetched.deleted === true)
    return undefined
  // Each fetcher answers the kind of object that the event holds, and a thin event its own.
  return fetched as LatestOf<E>
}

type Fetch = (stripe: Stripe, object: object, account: string | undefined) => Promise<unknown> | null

async function fetchOfSnapshot(stripe: Stripe, { type, data, account }: Stripe.Event): Promise<unknown> {
  // Whatever the types say, a version or a type that the SDK does not know may hold anything.
  const object: { readonly object?: unknown; readonly id?: unknown } = data?.object ?? {}
  const kind = typeof object.object === 'string' ? object.object : ''
  if (!object.id && !singletons.includes(kind)) throw noObject(type)
  // The table pairs each kind with what fetches it.
  const fetch = Object.hasOwn(fetchers, kind) ? (fetchers[kind as keyof typeof fetchers] as Fetch) : undefined
  const asked = fetch?.(stripe, object, account) ?? null
  if (asked === null)
    throw new PermanentError(`ctx.latest(): there is no way to fetch this kind of object: ${kind || 'it has no name'}`)
  return asked
}

async function fetchOfThin(event: Exclude<AnyEvent, Stripe.Event>): Promise<unknown> {
  const fetched = 'fetchRelatedObject' in event ? await event.fetchRelatedObject() : null
  // The SDK resolves null, against its type, when a notification names no object.
  if (fetched === null || fetched === undefined) throw noObject(event.type)
  return fetched
}

const noObject = (type: string) =>
  new PermanentError(`ctx.latest(): this ${type} names no object that could be fetched`)

/**
 * Why fetching can't succeed any more; undefined when it may. Its entry is dead, not handled: nobody saw the object, and an
 * account that comes back makes a replay worth while. A key that was refused is not for good: someone mends it.
 */
function whyForGood(error: unknown, event: AnyEvent): string | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || !('code' in error)) return undefined
  if (error.statusCode === 404 && (error.code === 'resource_missing' || error.code === 'not_found')) {
    return `its object is gone: Stripe says ${JSON.stringify(error.message)}; it was deleted since, or is of the other mode than STRIPE_API_KEY`
  }
  if (error.code === 'account_invalid') {
    const account = event.object === 'event' ? event.account : event.context?.segments.at(-1)
    return `account no longer connected: ${account ?? 'the account of this event'} has left the platform of STRIPE_API_KEY; replay this event if it comes back`
  }
  return undefined
}
