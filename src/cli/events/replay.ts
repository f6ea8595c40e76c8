import {
  type Obstacle,
  type ReplayGroup,
  type ReplayResult,
  rehearseReplay,
  replayEntries,
  type Selection,
} from '../../operations/replay.ts'
import { withInbox } from '../inbox.ts'
import { createProgress } from '../terminal/progress.ts'
import { formatTable, headerRow, toOneLine } from '../terminal/table.ts'

/**
 * Replays the entries and prints how many, and which ones were left alone and why. False when a named entry was left alone,
 * or when a filter led to no replay at all.
 */
export async function runReplay(selection: Selection, { isDryRun }: { readonly isDryRun: boolean }): Promise<boolean> {
  const result = await withInbox((inbox) =>
    isDryRun
      ? withProgress('looked at', (onProgress) => rehearseReplay(inbox, selection, onProgress))
      : withProgress('replaying:', (onProgress) => replayEntries(inbox, selection, onProgress)),
  )
  for (const { eventId, obstacle } of result.leftAlone) {
    process.stderr.write(`${toOneLine(eventId)} left alone: ${explanations[obstacle]}\n`)
  }
  if (result.replayed + result.leftAlone.length === 0) {
    process.stderr.write('error: no entry matches\n')
    return false
  }
  if (result.groups !== undefined && result.groups.length > 0) printGroups(result.groups)
  process.stdout.write(`${summarize(result, isDryRun)}\n`)
  return 'eventIds' in selection ? result.leftAlone.length === 0 : result.replayed > 0
}

const explanations: Readonly<Record<Obstacle, string>> = {
  unknown: 'no entry has this id',
  running: 'it is running',
  'without body': 'retention dropped its body',
}

async function withProgress<T>(verb: string, work: (onProgress: (count: number) => void) => Promise<T>): Promise<T> {
  const progress = createProgress(process.stderr, (count) => `${verb} ${count} entries`)
  try {
    return await work(progress.update)
  } finally {
    progress.end()
  }
}

function printGroups(groups: readonly ReplayGroup[]): void {
  const header = headerRow(['ENTRIES', 'STATE', 'TYPE'])
  const rows = groups.map(({ entries, state, type }) => ({ cells: [String(entries), state, type] }))
  process.stdout.write(`${formatTable([header, ...rows], Infinity).join('\n')}\n\n`)
}

function summarize({ replayed, leftAlone }: ReplayResult, isDryRun: boolean): string {
  const what = `${replayed} ${replayed === 1 ? 'entry' : 'entries'}`
  const left = leftAlone.length === 0 ? '' : `, ${leftAlone.length} left alone`
  return isDryRun ? `would replay ${what}${left}; nothing was changed` : `replayed ${what}${left}`
}
