import { type Destination, PING_TYPE } from '../destinations/destinations.ts'
import { findDestinations } from '../destinations/find.ts'
import { shapeOfType } from '../destinations/needed.ts'
import { findSites } from '../destinations/sites.ts'
import { sends } from '../destinations/types.ts'
import { snapshotTypes, thinTypes } from '../event/known-types.ts'
import { twinOf } from '../event/twin.ts'
import type { EventShape, Handlers, WebhookRoute } from '../event.ts'
import type { StripeClients } from '../stripe/client.ts'

/** What is done here with which types. */
export interface Taking extends Pick<Handlers, 'map' | 'yielding'> {
  /** Those that a target takes. */
  readonly forwarded?: ReadonlySet<string>
}

/** Event types to ask Stripe for: of the account itself, and of connected accounts. */
export type WantedTypes = Readonly<Record<WebhookRoute, ShapedTypes>>

export type ShapedTypes = Readonly<Record<EventShape, readonly string[]>>

/** A destination as far as it tells what a server here is sent. */
export type OwnDestination = Pick<Destination, 'shape' | 'types' | 'from'>

export interface OwnDestinations {
  /** Null when Stripe's full list cannot be read, or has none of them. */
  readonly own: readonly OwnDestination[] | null
  /** Why it cannot be read, and what to do. */
  readonly failures: readonly string[]
}

/**
 * Destinations of the account that a server like this takes: at /webhook and /webhook/connect, disabled ones too. Rejects only with
 * errors that are not the SDK's.
 */
export async function findOwnDestinations(
  clients: Pick<StripeClients, 'clientOf' | 'hasPlatform'>,
): Promise<OwnDestinations> {
  // They would be the organization's.
  if (!clients.hasPlatform) return { own: null, failures: [] }
  const { destinations, isV2Read, failures } = await findDestinations(clients.clientOf(null))
  if (!isV2Read) return { own: null, failures: failures.map(({ message, mend }) => `${message}; ${mend}`) }
  const own = findSites(destinations).flatMap((site) => site.destinations)
  return { own: own.length > 0 ? own : null, failures: [] }
}

/**
 * Types that have a handler or a target here, that the SDK knows, and that one of the own destinations sends: Stripe's filter for
 * undelivered events goes by every endpoint of the account, and another's are none of this server's. With `isAll`, all of the shapes
 * that own destinations have, and those whose change nothing else here tells of. Where own ones are not known (null), every snapshot
 * type, and thin types whose twin is not handled: whoever is sent snapshots never gets the thin twins of everything.
 */
export function chooseTypes(
  { map, yielding: yieldingTypes = new Set(), forwarded = new Set() }: Taking,
  own: readonly OwnDestination[] | null,
  { isAll = false } = {},
): WantedTypes {
  const isTaken = (type: string) => Object.hasOwn(map, type) || forwarded.has(type)
  const handled: readonly string[] = [...snapshotTypes, ...thinTypes].filter(
    (type) => isTaken(type) && type !== PING_TYPE,
  )
  const yielding = yieldingTypes.difference(forwarded)
  const isAlone = (type: string) => !isTaken(twinOf(type)) || yielding.has(twinOf(type))

  function isWanted(type: string, sending: readonly OwnDestination[] | undefined): boolean {
    const shape = shapeOfType(type)
    if (sending === undefined) return !yielding.has(type) && (shape === 'snapshot' || isAlone(type))
    if (!isAll) return sending.some((each) => sends(each, type))
    return sending.some((each) => each.shape === shape || isAlone(type))
  }
  function chooseFor(side: WebhookRoute): ShapedTypes {
    const other = side === 'account' ? 'connect' : 'account'
    const sending = own?.filter(({ from }) => from !== other)
    const { snapshot = [], thin = [] } = Object.groupBy(
      handled.filter((type) => isWanted(type, sending)),
      shapeOfType,
    )
    return { snapshot, thin }
  }
  return { account: chooseFor('account'), connect: chooseFor('connect') }
}
