import { parkBy } from '../../operations/changes.ts'
import { runChange } from './change.ts'
import { findOperator } from './operator.ts'

/** Parks the entries, as runChange says. */
export const runPark = (eventIds: readonly string[]): Promise<boolean> =>
  runChange(
    parkBy(findOperator()),
    { eventIds },
    { note: 'what still runs has lost its lease: how it ends is not recorded' },
  )
