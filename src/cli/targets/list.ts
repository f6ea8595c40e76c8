import { formatDuration } from '../../operations/duration.ts'
import { formatForwards, judgeTarget, surveyTargets, type TargetSummary } from '../../operations/survey-targets.ts'
import { withInbox } from '../inbox.ts'
import { formatTable, headerRow, terminalWidth } from '../terminal/table.ts'
import { readTargets } from './loaded.ts'

/** Prints each target with how it does and what waits for it, those among them that TARGETS names no more. */
export async function runList({ json }: { readonly json?: true }): Promise<void> {
  const targets = await readTargets()
  const named = targets.map(({ name }) => name)
  const summaries = await withInbox((inbox) => surveyTargets(inbox, named))
  const rows = summaries.map(({ name, ...rest }) => ({
    name,
    host: targets.find((target) => target.name === name)?.url.host ?? null,
    ...rest,
  }))
  if (rows.length === 0) return void process.stderr.write('There are no targets: TARGETS names no module.\n')
  const lines = json ? rows.map((row) => JSON.stringify(row)) : formatRows(rows)
  process.stdout.write(`${lines.join('\n')}\n`)
}

type Row = TargetSummary & { readonly host: string | null }

function formatRows(rows: readonly Row[]): string[] {
  const header = headerRow(['TARGET', 'PENDING', 'RUNNING', 'DEAD', 'HELD', 'OLDEST'], 'STATE')
  const cells = rows.map((row) => {
    const { name, host, pending, running, dead, held, oldestMs } = row
    const counts = [pending, running, dead, held].map(formatForwards)
    const oldest = oldestMs === null ? '–' : formatDuration(oldestMs)
    return { cells: [name, ...counts, oldest], text: judgeTarget(row, host !== null).text }
  })
  return formatTable([header, ...cells], terminalWidth())
}
