import { formatDuration } from '../../operations/duration.ts'
import {
  formatForwards,
  judgeTarget,
  type NamedTarget,
  nameTarget,
  reportTarget,
  type TargetReport,
} from '../../operations/survey-targets.ts'
import { withInbox } from '../inbox.ts'
import { formatTable, headerRow, type TableRow, terminalWidth, toOneLine } from '../terminal/table.ts'
import { readTargets, tellUnknown } from './loaded.ts'

/** Prints all that is known of a target, one among them that TARGETS names no more. False when nothing is. */
export async function runShow(name: string, { json }: { readonly json?: true }): Promise<boolean> {
  const targets = await readTargets()
  const named = targets.map(nameTarget).find((target) => target.name === name)
  const report = await withInbox((inbox) => reportTarget(inbox, name, named !== undefined))
  if (report === undefined) {
    tellUnknown(targets)
    return false
  }
  const lines = json ? [JSON.stringify(toJson(report, named))] : formatReport(report, named)
  process.stdout.write(`${lines.join('\n')}\n`)
  return true
}

const durationOf = ({ startedAt, endedAt }: TargetReport['attempts'][number]) => endedAt.getTime() - startedAt.getTime()

function toJson({ name, attempts, ...rest }: TargetReport, named: NamedTarget | undefined) {
  const timed = attempts.map((attempt) => ({ ...attempt, durationMs: durationOf(attempt) }))
  return { name, host: named?.host ?? null, takes: named?.takes ?? null, ...rest, attempts: timed }
}

function formatReport(report: TargetReport, named: NamedTarget | undefined): string[] {
  const { name, pending, running, dead, held, oldestMs, causes, attempts } = report
  const { text, times } = judgeTarget(report, named !== undefined)
  const oldest = oldestMs === null ? '' : `, the oldest for ${formatDuration(oldestMs)}`
  const facts = [
    ['target', name],
    ['host', named?.host ?? '–'],
    ['takes', named?.takes ?? '–'],
    ['state', text],
    ...times.map(([what, at]) => [what, at.toISOString()]),
    ['pending', `${formatForwards(pending)}${oldest}`],
    ...Object.entries({ running, dead, held }).map(([what, count]) => [what, formatForwards(count)]),
  ]
  return [
    ...formatTable(
      facts.map((cells) => ({ cells })),
      Infinity,
    ),
    ...formatSection(headerRow(['FORWARDS', 'STATE', 'LAST'], 'CAUSE'), causes.map(toCauseRow)),
    ...formatSection(
      headerRow(['STARTED', 'EVENT', 'ATTEMPT', 'OUTCOME', 'STATUS', 'TOOK'], 'ANSWER'),
      attempts.map(toAttemptRow),
    ),
  ]
}

function formatSection(header: TableRow, rows: readonly TableRow[]): string[] {
  const steps = [{ leaveOut: 'TOOK' }, { leaveOut: 'STARTED' }]
  return rows.length === 0 ? [] : ['', ...formatTable([header, ...rows], terminalWidth(), steps)]
}

function toCauseRow({ forwards, state, newestAt, reason }: TargetReport['causes'][number]): TableRow {
  return { cells: [String(forwards), state, newestAt.toISOString()], text: reason }
}

function toAttemptRow(attempt: TargetReport['attempts'][number]): TableRow {
  const { startedAt, eventId, number, outcome, status, error, answer } = attempt
  const took = formatDuration(durationOf(attempt))
  return {
    cells: [startedAt.toISOString(), eventId, String(number), outcome, String(status ?? '–'), took],
    text: toOneLine([error, answer].filter(Boolean).join(': ')),
  }
}
