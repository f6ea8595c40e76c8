import { styleText } from 'node:util'
import { withInbox } from '../inbox.ts'
import { formatDuration } from '../terminal/duration.ts'
import { formatTable } from '../terminal/table.ts'

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
  const header = { cells: ['STATE', 'ENTRIES'], paint: (cells: string) => styleText('bold', cells) }
  const rows = Object.entries(counts).map(([state, count]) => ({ cells: [state, String(count)] }))
  const oldest = oldestPendingMs === null ? 'none' : formatDuration(oldestPendingMs)
  process.stdout.write(`${formatTable([header, ...rows], Infinity).join('\n')}\n\nlongest due: ${oldest}\n`)
}
