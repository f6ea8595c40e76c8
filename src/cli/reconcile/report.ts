import type { Reconciled } from '../../reconcile/reconcile.ts'
import { sumOf, type Tally } from '../../reconcile/tally.ts'
import { formatTable, headerRow, terminalWidth } from '../terminal/table.ts'

/** Prints a table by type and a sentence, or one JSON object. `types` is how many were looked for. */
export function printReconciled(
  result: Reconciled,
  { isDryRun, isJson, types }: { readonly isDryRun: boolean; readonly isJson: boolean; readonly types: number },
): void {
  const text = isJson
    ? toJson(result, isDryRun)
    : [...formatTypes(result), summarize(result, isDryRun, types)].join('\n')
  process.stdout.write(`${text}\n`)
}

function toJson(result: Reconciled, isDryRun: boolean): string {
  const refusals = result.refusals.map(({ account, message }) => ({ account, message }))
  const types = Object.fromEntries(Array.from(result.types, ([type, tally]) => [type, nameFound(tally)]))
  const unlisted = result.unlisted.map(({ message }) => message)
  const sum = nameFound(sumOf(result.types))
  return JSON.stringify({ dryRun: isDryRun, ...sum, accounts: result.accounts, types, refusals, unlisted })
}

function nameFound({ found: undelivered, ...rest }: Tally) {
  return { undelivered, ...rest }
}

function formatTypes({ types }: Reconciled): string[] {
  if (types.size === 0) return []
  const header = headerRow(['TYPE', 'UNDELIVERED', 'MISSING', 'ADDED'])
  const rows = Array.from(types, ([type, { found, missing, added }]) => ({
    cells: [type, String(found), String(missing), String(added)],
  }))
  rows.sort((one, other) => Number(other.cells[2]) - Number(one.cells[2]))
  return [...formatTable([header, ...rows], terminalWidth(), [{ shorten: 'TYPE', to: 24 }]), '']
}

function summarize(result: Reconciled, isDryRun: boolean, types: number): string {
  const { found, missing, added } = sumOf(result.types)
  const where = `${result.accounts} ${result.accounts === 1 ? 'account' : 'accounts'}`
  const looked = `${count(found)} undelivered at Stripe, of ${types} types in ${where}`
  if (missing === 0) return `${looked}; none was missing.`
  return isDryRun ? `${looked}; ${count(missing)} missing would be added.` : `${looked}; ${count(added)} added.`
}

function count(events: number): string {
  return `${events} ${events === 1 ? 'event' : 'events'}`
}
