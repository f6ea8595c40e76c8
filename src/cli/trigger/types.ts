import { isKnownType, snapshotTypes, thinTypes } from '../../event/known-types.ts'
import { twinOf } from '../../event/twin.ts'
import type { EventType } from '../../event.ts'

const allTypes: readonly EventType[] = [...snapshotTypes, ...thinTypes]

/** The types whose name, or that of their twin, fits a pattern in which `*` stands for any characters; sorted. */
export function listTypes(pattern: string): EventType[] {
  const fits = new RegExp(`^${pattern.replace(/[^*\w]/g, '\\$&').replaceAll('*', '.*')}$`)
  return allTypes.filter((type) => fits.test(type) || (isKnownType(twinOf(type)) && fits.test(twinOf(type)))).sort()
}

/** Up to three types whose names are nearest to one that does not exist; none when all are far from it. */
export function findNearTypes(name: string): EventType[] {
  const near = allTypes.map((type) => ({ type, distance: distanceBetween(name, type) }))
  const isNear = ({ distance }: { distance: number }) => distance <= name.length * MOST_OF_LENGTH
  return near
    .filter(isNear)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ type }) => type)
}

const MOST_OF_LENGTH = 0.4

/** How many characters must be put in, taken out or replaced to make one of the other (Levenshtein). */
function distanceBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [line, letter] of [...a].entries()) {
    const next = [line + 1]
    for (const [index, other] of [...b].entries()) {
      const replaced = (row[index] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
