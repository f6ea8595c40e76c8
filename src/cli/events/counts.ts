import { formatDuration } from '../../operations/duration.ts'
import { withInbox } from '../inbox.ts'
import { formatTable, headerRow } from '../terminal/table.ts'

/** Prints how many entries are in each state, and for how long the one that waits for a worker for longest has been due. */
export async function runCounts({ json }: { readonly json?: true }): Promise<void> {
  const { counts, oldestPendingMs } = await withInbox(async (inbox) => ({
    counts: await inbox.counts(),
    oldestPendingMs: await inbox.oldestPendingMs(),
  }))
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...counts, oldestPendingMs })}\n`)
    return
  }
  const rows = Object.entries(counts).map(([state, count]) => ({ cells: [state, String(count)] }))
  const oldest = oldestPendingMs === null ? 'none' : formatDuration(oldestPendingMs)
  const table = formatTable([headerRow(['STATE', 'ENTRIES']), ...rows], Infinity).join('\n')
  process.stdout.write(`${table}\n\nlongest due: ${oldest}\n`)
}
