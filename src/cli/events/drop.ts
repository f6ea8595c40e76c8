import type { Selection } from '../../operations/change-entries.ts'
import { dropBy } from '../../operations/changes.ts'
import { runChange } from './change.ts'
import { findOperator } from './operator.ts'
import type { ChangeOptions } from './options.ts'

/** Drops the entries, as runChange says. */
export const runDrop = (selection: Selection, options: ChangeOptions): Promise<boolean> =>
  runChange(dropBy(findOperator()), selection, options)
