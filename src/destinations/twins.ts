import { snapshotTypes } from '../event/known-types.ts'
import { twinOf } from '../event/twin.ts'
import type { Destination } from './destinations.ts'
import { countTypes, type Finding, listTypes } from './finding.ts'
import { type Site, shareEvents } from './sites.ts'
import { sends } from './types.ts'

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
