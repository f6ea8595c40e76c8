import type { Reconciled } from '../../reconcile/reconcile.ts'
import { sumOf, type Tally } from '../../reconcile/tally.ts'
import { formatTable, headerRow, terminalWidth } from '../terminal/table.ts'

export interface ReportOptions {
  /** Every event was listed, not the undelivered ones alone. */
  readonly isAll: boolean
  readonly isDryRun: boolean
  readonly isJson: boolean
  /** How many were looked for. */
  readonly types: number
}

/** Prints a table by type and a sentence, or one JSON object. */
export function printReconciled(result: Reconciled, options: ReportOptions): void {
  const text = options.isJson
    ? toJson(result, options)
    : [...formatTypes(result, options), summarize(result, options)].join('\n')
  process.stdout.write(`${text}\n`)
}

function toJson(result: Reconciled, { isAll, isDryRun }: ReportOptions): string {
  const named = ({ found, ...rest }: Tally) => ({ [isAll ? 'listed' : 'undelivered']: found, ...rest })
  const refusals = result.refusals.map(({ account, message }) => ({ account, message }))
  const types = Object.fromEntries(Array.from(result.types, ([type, tally]) => [type, named(tally)]))
  const unlisted = result.unlisted.map(({ message }) => message)
  const sum = named(sumOf(result.types))
  return JSON.stringify({ dryRun: isDryRun, ...sum, accounts: result.accounts, types, refusals, unlisted })
}

function formatTypes({ types }: Reconciled, { isAll }: ReportOptions): string[] {
  if (types.size === 0) return []
  const header = headerRow(['TYPE', isAll ? 'LISTED' : 'UNDELIVERED', 'MISSING', 'ADDED'])
  const rows = Array.from(types, ([type, { found, missing, added }]) => ({
    cells: [type, String(found), String(missing), String(added)],
  }))
  rows.sort((one, other) => Number(other.cells[2]) - Number(one.cells[2]))
  return [...formatTable([header, ...rows], terminalWidth(), [{ shorten: 'TYPE', to: 24 }]), '']
}

function summarize(result: Reconciled, { isAll, isDryRun, types }: ReportOptions): string {
  const { found, missing, added } = sumOf(result.types)
  const where = `${result.accounts} ${result.accounts === 1 ? 'account' : 'accounts'}`
  const looked = `${count(found)} ${isAll ? 'listed by' : 'undelivered at'} Stripe, of ${types} types in ${where}`
  if (missing === 0) return `${looked}; none was missing.`
  return isDryRun ? `${looked}; ${count(missing)} missing would be added.` : `${looked}; ${count(added)} added.`
}

function count(events: number): string {
  return `${events} ${events === 1 ? 'event' : 'events'}`
}
