import type { Hold } from '../../inbox/inbox.ts'
import { formatDuration } from '../../operations/duration.ts'
import { withInbox } from '../inbox.ts'
import { formatTable, headerRow, toOneLine } from '../terminal/table.ts'

/** Prints how many entries are in each state, for how long the one that waits for longest has been due, and a hold. */
export async function runCounts({ json }: { readonly json?: true }): Promise<void> {
  const { counts, oldestPendingMs, hold } = await withInbox(async (inbox) => ({
    counts: await inbox.counts(),
    oldestPendingMs: await inbox.oldestPendingMs(),
    hold: await inbox.held(),
  }))
  if (json) {
    const held = hold && { since: sinceOf(hold), who: hold.who, reason: hold.reason }
    process.stdout.write(`${JSON.stringify({ ...counts, oldestPendingMs, held })}\n`)
    return
  }
  const rows = Object.entries(counts).map(([state, count]) => ({ cells: [state, String(count)] }))
  const oldest = oldestPendingMs === null ? 'none' : formatDuration(oldestPendingMs)
  const table = formatTable([headerRow(['STATE', 'ENTRIES']), ...rows], Infinity).join('\n')
  process.stdout.write(`${table}\n\nlongest due: ${oldest}\n${hold === null ? '' : `${describeHold(hold)}\n`}`)
}

const sinceOf = ({ forMs }: Hold) => new Date(Date.now() - forMs)

function describeHold(hold: Hold): string {
  const why = hold.reason === null ? '' : `: ${hold.reason}`
  return toOneLine(`held since ${sinceOf(hold).toISOString()} (${formatDuration(hold.forMs)} ago) by ${hold.who}${why}`)
}
