import { styleText } from 'node:util'
import type { Entry, EntryState } from '../../event.ts'
import { formatDuration } from '../../operations/duration.ts'
import { isEverything, toFilter } from '../../operations/filter.ts'
import { withInbox } from '../inbox.ts'
import { formatTable, headerRow, type Narrowing, type TableRow, terminalWidth } from '../terminal/table.ts'
import type { ListOptions } from './options.ts'

/** Prints the entries that match, newest first. False when a filter matches nothing. */
export async function runList(options: ListOptions): Promise<boolean> {
  const filter = toFilter(options)
  const found = await withInbox((inbox) => inbox.list(filter, { limit: options.limit + 1 }))
  if (found.length === 0) {
    process.stderr.write(isEverything(options) ? 'The inbox is empty.\n' : 'error: no entry matches\n')
    return isEverything(options)
  }
  printEntries(found, options)
  return true
}

/** As many as the limit, and that there are more when one more was found. */
export function printEntries(found: readonly Entry[], options: ListOptions): void {
  const entries = found.slice(0, options.limit)
  const lines = options.json ? entries.map((entry) => JSON.stringify(entry)) : formatEntries(entries)
  process.stdout.write(`${lines.join('\n')}\n`)
  if (found.length > entries.length) {
    process.stderr.write(`… more: --limit shows more than ${options.limit}\n`)
  }
}

/** The id stays whole, since the other commands take it, and the state. Age and account are what a filter tells as well. */
const narrowing: readonly Narrowing[] = [
  { leaveOut: 'ACCOUNT' },
  { leaveOut: 'RECEIVED' },
  { shorten: 'TYPE', to: 24 },
  { leaveOut: 'ATTEMPTS' },
  { shorten: 'TYPE', to: 14 },
]

function formatEntries(entries: readonly Entry[]): string[] {
  const hasAccounts = entries.some((entry) => entry.account !== null)
  const header = headerRow(
    ['EVENT', 'TYPE', ...(hasAccounts ? ['ACCOUNT'] : []), 'STATE', 'ATTEMPTS', 'RECEIVED'],
    entries.some((entry) => entry.reason !== null) ? 'REASON' : '',
  )
  return formatTable([header, ...entries.map((entry) => toRow(entry, hasAccounts))], terminalWidth(), narrowing)
}

function toRow({ eventId, type, account, state, attempts, receivedAt, reason }: Entry, hasAccounts: boolean): TableRow {
  const received = `${formatDuration(Date.now() - receivedAt.getTime())} ago`
  return {
    cells: [eventId, type, ...(hasAccounts ? [account ?? '–'] : []), state, String(attempts), received],
    text: reason ?? '',
    paint: (cells) => styleText(stateColors[state], cells),
  }
}

const stateColors = {
  pending: 'cyan',
  running: 'cyan',
  handled: 'green',
  unhandled: 'yellow',
  parked: 'yellow',
  dead: 'red',
} as const satisfies Record<EntryState, string>
