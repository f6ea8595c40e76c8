import { previewTypes, snapshotTypes, thinTypes } from '../event/known-types.ts'
import { twinOf } from '../event/twin.ts'
import type { EventShape } from '../event.ts'
import { type Destination, PING_TYPE } from './destinations.ts'
import { countTypes, type Finding, listTypes } from './finding.ts'
import { describePlaced } from './places.ts'
import { type PlacedDestination, type Site, shareEvents } from './sites.ts'

/** What is handled here. */
export interface HandledTypes {
  /** Of both shapes. */
  readonly handledTypes: readonly string[]
  /** Those of them whose handler does not count for its twin; see `Handlers`. */
  readonly yieldingTypes?: ReadonlySet<string> | undefined
  /** A fallback takes what has no handler. */
  readonly hasFallback: boolean
}

/** Thin types are named for the API version that they come from: `v1.payout.failed`, `v2.core.account.updated`. */
export function shapeOfType(type: string): EventShape {
  return /^v\d+\./.test(type) ? 'thin' : 'snapshot'
}

/** Types of one shape that a destination can be asked for. */
export function subscribableTypes(types: readonly string[], shape: EventShape): string[] {
  return types.filter((type) => shapeOfType(type) === shape && isSubscribable(type))
}

/** A ping comes without, and what Stripe has in preview is for its operator to ask for in Workbench. */
function isSubscribable(type: string): boolean {
  return type !== PING_TYPE && !previewTypes.includes(type)
}

/** Checks that a site is sent what is handled, and nothing else. */
export function checkTypes(site: Site, handled: HandledTypes): Finding[] {
  const enabled = site.destinations.filter(({ isEnabled }) => isEnabled)
  return [...checkSent(enabled, handled), ...enabled.flatMap((one) => checkHandled(one, handled))]
}

function sends({ shape, types }: Destination, type: string): boolean {
  return shapeOfType(type) === shape && (types.includes(type) || types.includes('*'))
}

/**
 * Handled, and not sent to one of the routes in use. A type counts as sent where its handled twin is; one that yields is wanted by
 * nobody, and does not count for its twin. What only the other route is sent may be meant so.
 */
function checkSent(
  enabled: readonly PlacedDestination[],
  { handledTypes, yieldingTypes = new Set() }: HandledTypes,
): Finding[] {
  const wanted = handledTypes.filter((type) => isSubscribable(type) && !yieldingTypes.has(type))
  const handled = new Set(wanted)
  const isTold = (by: readonly PlacedDestination[], type: string): boolean =>
    by.some((each) => sends(each, type) || (handled.has(twinOf(type)) && sends(each, twinOf(type))))
  const findings: Finding[] = []
  for (const [place, here] of Map.groupBy(enabled, (each) => each.place)) {
    const shapes = (['snapshot', 'thin'] as const).filter((shape) => here.some((each) => each.shape === shape))
    // Of two handled twins one is enough, and the one named is that which a destination here could send.
    const isNamed = (type: string) => !handled.has(twinOf(type)) || shapes[0] === shapeOfType(type)
    const missing = wanted.filter((type) => !isTold(here, type) && isNamed(type))
    for (const [elsewhere, types] of Map.groupBy(missing, (type) => isTold(enabled, type))) {
      for (const shape of ['snapshot', 'thin'] as const) {
        const ofShape = types.filter((type) => shapeOfType(type) === shape)
        if (ofShape.length > 0) findings.push(describeUnsent({ place, here, shape, types: ofShape, elsewhere }))
      }
    }
  }
  return findings
}

interface Unsent {
  readonly place: string
  readonly here: readonly PlacedDestination[]
  readonly shape: EventShape
  readonly types: readonly string[]
  /** The site's other route is sent them. */
  readonly elsewhere: boolean
}

function describeUnsent({ place, here, shape, types, elsewhere }: Unsent): Finding {
  const able = here.find((each) => each.shape === shape)
  const where = elsewhere ? `${place}, only to the other route` : place
  const add = able
    ? `add them to ${able.id} in Workbench`
    : `a ${shape} destination must send them: npm run destination -- create --url ${place}${here[0]?.route === 'connect' ? ' --connect' : ''}${shape === 'thin' ? ' --thin' : ''}`
  return {
    severity: elsewhere ? 'warning' : 'fault',
    check: 'types_sent',
    message: `${countTypes(types)} handled and not sent to ${where}: ${listTypes(types)}`,
    mend: `${add}; or remove their handlers${elsewhere ? '; or leave it, if it is meant so' : ''}`,
    ...(able && { destinations: [able.id] }),
    types,
  }
}

const MAX_UNHANDLED_NAMED = 5

/** Sent, and without a handler. */
function checkHandled(destination: PlacedDestination, { handledTypes, hasFallback }: HandledTypes): Finding[] {
  const isAll = destination.types.includes('*')
  const all: readonly string[] = destination.shape === 'thin' ? thinTypes : snapshotTypes
  const sent = isAll ? all : destination.types
  const handled = new Set(handledTypes)
  const types = sent.filter((type) => type !== PING_TYPE && !handled.has(type))
  if (types.length === 0) return []
  const every = isAll ? ' (it sends every type)' : ''
  const named = `${countTypes(types)}${every}: ${listTypes(types, MAX_UNHANDLED_NAMED)}`
  const about = { check: 'types_handled', destinations: [destination.id], types } as const
  if (hasFallback) {
    const message = `${describePlaced(destination)} sends the fallback ${named}`
    return [{ severity: 'ok', message, ...about }]
  }
  return [
    {
      severity: 'fault',
      message: `${describePlaced(destination)} sends what has no handler, ${named}`,
      mend: `take ${types.length === 1 ? 'it' : 'them'} out of ${destination.id} in Workbench, or add handlers or a fallback`,
      ...about,
    },
  ]
}

/** Checks whether one change comes to a site in both shapes. */
export function checkTwins({ destinations }: Site, twins: 'one' | 'both'): Finding[] {
  const enabled = destinations.filter(({ isEnabled }) => isEnabled)
  const snapshots = enabled.filter(({ shape }) => shape === 'snapshot')
  const thins = enabled.filter(({ shape }) => shape === 'thin')
  const pairs = snapshots.flatMap((one) =>
    thins.filter((other) => shareEvents(one, other)).map((other) => ({ one, other })),
  )
  const found = pairs.map((pair) => ({ ...pair, types: snapshotTypes.filter((type) => areSent(pair, type)) }))
  const twice = found.filter(({ types }) => types.length > 0)
  const types = [...new Set(twice.flatMap((pair) => pair.types))]
  if (types.length === 0) return []
  const ids = [...new Set(twice.flatMap(({ one, other }) => [one.id, other.id]))]
  const both = `${ids.join(' and ')} tell of the same changes, as snapshot and as thin events: ${countTypes(types)}, ${listTypes(types)}`
  const about = { check: 'twins', destinations: ids, types } as const
  if (twins === 'one') return [{ severity: 'ok', message: `${both}; TWINS=one handles each change once`, ...about }]
  return [
    {
      severity: 'fault',
      message: `${both}; TWINS=both handles each change twice`,
      mend: 'set TWINS=one, or let only one of them send each of these types',
      ...about,
    },
  ]
}

function areSent({ one, other }: { readonly one: Destination; readonly other: Destination }, type: string): boolean {
  return sends(one, type) && sends(other, twinOf(type))
}
