import { styleText } from 'node:util'
import { formatDuration } from '../terminal/duration.ts'
import { formatTable } from '../terminal/table.ts'
import { withInbox } from './inbox.ts'

/** Prints how many entries are in each state, and how long the oldest pending one has waited. */
export async function runCounts({ json }: { readonly json?: true }): Promise<void> {
  const { counts, oldestPendingMs } = await withInbox(async (inbox) => ({
    counts: await inbox.counts(),
    oldestPendingMs: await inbox.oldestPendingMs(),
  }))
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...counts, oldestPendingMs })}\n`)
    return
  }
  const header = { cells: ['STATE', 'ENTRIES'], paint: (cells: string) => styleText('bold', cells) }
  const rows = Object.entries(counts).map(([state, count]) => ({ cells: [state, String(count)] }))
  const oldest = oldestPendingMs === null ? 'none' : `received ${formatDuration(oldestPendingMs)} ago`
  process.stdout.write(`${formatTable([header, ...rows], Infinity).join('\n')}\n\noldest pending: ${oldest}\n`)
}
