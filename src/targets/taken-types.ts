import { previewTypes, snapshotTypes, thinTypes } from '../event/known-types.ts'
import { isThinType } from '../event/twin.ts'
import type { LoadedTarget } from './load.ts'
import { toTypePattern } from './type-pattern.ts'

/** Types known here that some of the targets takes, by its types and shapes. */
export function findTakenTypes(targets: readonly Pick<LoadedTarget, 'types' | 'shapes'>[]): ReadonlySet<string> {
  const known = [...snapshotTypes, ...thinTypes, ...previewTypes]
  return new Set(
    targets.flatMap(({ types = ['*'], shapes = ['snapshot', 'thin'] }) => {
      const patterns = types.map(toTypePattern)
      const fits = (type: string) => shapes.includes(isThinType(type) ? 'thin' : 'snapshot')
      return known.filter((type) => fits(type) && patterns.some((pattern) => pattern.test(type)))
    }),
  )
}
