import type Stripe from 'stripe'
import { type Arrival, toArrived } from '../event/arrival.ts'
import type { NewEntry } from '../event.ts'
import { accountIn } from './contexts.ts'

/** An event as Stripe lists it, of either shape. */
export type Listed = Stripe.Event | Stripe.V2.Core.Event

/** The entry of an event that was listed for the context (null: the platform). */
export function toEntry(event: Listed, context: string | null, arrival: Arrival): NewEntry {
  // The function that the SDK adds to a thin one is left out by JSON.
  const text = JSON.stringify(context === null ? event : nameAccount(event, context))
  const arrived = toArrived(text, Buffer.from(text), arrival)
  return { ...arrived, route: arrived.account === null ? 'account' : 'connect', source: 'reconcile', secret: '' }
}

/** A delivery always tells whose event it is; a list for an account need not, and its handler would act for the platform. */
function nameAccount(event: Listed, context: string): Listed {
  if (event.object === 'v2.core.event') return event.context ? event : { ...event, context }
  const account = accountIn(context)
  return {
    ...event,
    account: event.account || account,
    ...(context !== account && { context: event.context || context }),
  }
}
