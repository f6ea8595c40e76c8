import { snapshotTypes, thinTypes } from '../event/known-types.ts'
import { twinOf } from '../event/twin.ts'
import type { EventShape } from '../event.ts'
import { type Destination, PING_TYPE } from './destinations.ts'
import { countTypes, type Finding, listTypes } from './finding.ts'
import { connectionTypes, isOfAccountV2, isSubscribable, shapeOfType } from './needed.ts'
import { describePlaced } from './places.ts'
import type { PlacedDestination, Site } from './sites.ts'

/** What is handled here. */
export interface HandledTypes {
  /** Of both shapes. */
  readonly handledTypes: readonly string[]
  /** Those of them whose handler does not count for its twin; see `Handlers`. */
  readonly yieldingTypes?: ReadonlySet<string> | undefined
  /** Those of them whose handler is a built-in one: it only logs, so whoever does not have them sent may not need them. */
  readonly builtInTypes?: ReadonlySet<string> | undefined
  /** Requests that are answered: a destination may send them, but Stripe has a URL of their own for them. */
  readonly requestTypes?: readonly string[] | undefined
  /** A fallback takes what has no handler. */
  readonly hasFallback: boolean
}

/** Whether it is asked to send that type. */
export function sends({ shape, types }: Pick<Destination, 'shape' | 'types'>, type: string): boolean {
  return shapeOfType(type) === shape && (types.includes(type) || types.includes('*'))
}

/** Checks that a site is sent what is handled. */
export function checkSent(site: Site, handled: HandledTypes): Finding[] {
  return findUnsent(site, handled).map(describeUnsent)
}

/**
 * Handled, and not sent to one of the routes in use. A type counts as sent where its handled twin is; one that yields is wanted by
 * nobody, and does not count for its twin. What only the other route is sent may be meant so.
 */
export function findUnsent(
  { destinations }: Site,
  { handledTypes, yieldingTypes = new Set(), builtInTypes = new Set() }: HandledTypes,
): Unsent[] {
  const enabled = destinations.filter(({ isEnabled }) => isEnabled)
  const wanted = new Set(handledTypes.filter((type) => isSubscribable(type) && !yieldingTypes.has(type)))
  const causeOf = (type: string): Unsent['cause'] => {
    if (wanted.has(type) && !builtInTypes.has(type)) return 'own'
    return connectionTypes.includes(type) ? 'connection' : 'built-in'
  }
  const unsent: Unsent[] = []
  for (const [place, here] of Map.groupBy(enabled, (each) => each.place)) {
    const handled = new Set([...wanted].filter((type) => !isOfAccountV2(type) || !here.every(isConnectAlone)))
    if (here.some(isConnect)) for (const type of connectionTypes) handled.add(type)
    const isTold = (by: readonly PlacedDestination[], type: string): boolean =>
      by.some((each) => sends(each, type) || (handled.has(twinOf(type)) && sends(each, twinOf(type))))
    const shapes = (['snapshot', 'thin'] as const).filter((shape) => here.some((each) => each.shape === shape))
    // Of two handled twins one is enough, and the one named is that which a destination here could send.
    const isNamed = (type: string) => !handled.has(twinOf(type)) || shapes[0] === shapeOfType(type)
    const missing = [...handled].filter((type) => !isTold(here, type) && isNamed(type))
    for (const [elsewhere, types] of Map.groupBy(missing, (type) => isTold(enabled, type))) {
      for (const shape of ['snapshot', 'thin'] as const) {
        const ofShape = types.filter((type) => shapeOfType(type) === shape)
        for (const [cause, some] of Map.groupBy(ofShape, causeOf))
          unsent.push({ place, here, shape, types: some, elsewhere, cause })
      }
    }
  }
  return unsent
}

/** Types of one shape that are not sent to a place. */
export interface Unsent {
  readonly place: string
  /** All that send there. */
  readonly here: readonly PlacedDestination[]
  readonly shape: EventShape
  readonly types: readonly string[]
  /** The site's other route is sent them. */
  readonly elsewhere: boolean
  /** Why they are wanted: handlers of one's own, built-in ones, or to learn which accounts are connected. */
  readonly cause: 'own' | 'built-in' | 'connection'
}

function isConnect({ origin }: PlacedDestination): boolean {
  return origin === 'connect' || origin === 'both'
}

function isConnectAlone({ origin }: PlacedDestination): boolean {
  return origin === 'connect'
}

function describeUnsent({ place, here, shape, types, elsewhere, cause }: Unsent): Finding {
  const able = here.find((each) => each.shape === shape)
  const where = elsewhere ? `${place}, only to the other route` : place
  const add = able
    ? `add them: npm run destination -- update ${able.id}`
    : `a ${shape} destination must send them: npm run destination -- create --url ${place}${here[0]?.route === 'connect' ? ' --connect' : ''}${shape === 'thin' ? ' --thin' : ''}`
  const about = { check: 'types_sent', ...(able && { destinations: [able.id] }), types } as const
  if (cause === 'connection') {
    const message = `${countTypes(types)} not sent to ${place}, by which the server learns which accounts are connected: ${listTypes(types)}`
    return { severity: 'warning', message, mend: add, ...about }
  }
  if (cause === 'built-in') {
    const message = `${countTypes(types)} not sent to ${where}, and handled by built-in handlers, which only log: ${listTypes(types)}`
    return { severity: 'ok', message, ...about }
  }
  return {
    severity: elsewhere ? 'warning' : 'fault',
    message: `${countTypes(types)} handled and not sent to ${where}: ${listTypes(types)}`,
    mend: `${add}; or remove their handlers${elsewhere ? '; or leave it, if it is meant so' : ''}`,
    ...about,
  }
}

const MAX_UNHANDLED_NAMED = 5

/** Sent, and without a handler; a fallback is none. With `*` all the rest. */
export function findUnhandled(
  destination: PlacedDestination,
  { handledTypes, requestTypes = [] }: Pick<HandledTypes, 'handledTypes' | 'requestTypes'>,
): string[] {
  const all: readonly string[] = destination.shape === 'thin' ? thinTypes : snapshotTypes
  const sent = destination.types.includes('*') ? all : destination.types
  const handled = new Set([...handledTypes, ...requestTypes, ...(isConnect(destination) ? connectionTypes : [])])
  return sent.filter((type) => type !== PING_TYPE && !handled.has(type))
}

/** Checks that a site is sent nothing else. */
export function checkHandled({ destinations }: Site, handled: HandledTypes): Finding[] {
  return destinations.filter(({ isEnabled }) => isEnabled).flatMap((one) => describeUnhandled(one, handled))
}

function describeUnhandled(destination: PlacedDestination, handled: HandledTypes): Finding[] {
  const isAll = destination.types.includes('*')
  const types = findUnhandled(destination, handled)
  if (types.length === 0) return []
  const every = isAll ? ' (it sends every type)' : ''
  const named = `${countTypes(types)}${every}: ${listTypes(types, MAX_UNHANDLED_NAMED)}`
  const about = { check: 'types_handled', destinations: [destination.id], types } as const
  if (handled.hasFallback) {
    const message = `${describePlaced(destination)} sends the fallback ${named}`
    return [{ severity: 'ok', message, ...about }]
  }
  return [
    {
      severity: 'fault',
      message: `${describePlaced(destination)} sends what has no handler, ${named}`,
      mend: isAll
        ? `choose the types in Workbench, or add a fallback`
        : `take ${types.length === 1 ? 'it' : 'them'} out: npm run destination -- update ${destination.id}; or add handlers or a fallback`,
      ...about,
    },
  ]
}
