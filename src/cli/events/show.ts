import type { Attempt } from '../../event.ts'
import type { EntryDetail } from '../../inbox/inbox.ts'
import { describeDecision } from '../../operations/describe-decision.ts'
import { formatDuration } from '../../operations/duration.ts'
import { withInbox } from '../inbox.ts'
import { formatTable, headerRow, type TableRow, terminalWidth, toOneLine } from '../terminal/table.ts'
import type { ShowOptions } from './options.ts'

/** Prints all that is known of one entry, or nothing but its raw body. False when there is no such entry or body. */
export async function runShow(eventId: string, options: ShowOptions): Promise<boolean> {
  const detail = await withInbox((inbox) => inbox.get(eventId))
  if (detail === undefined) {
    process.stderr.write(`error: no entry has the id ${toOneLine(eventId)}\n`)
    return false
  }
  if (options.payload) return printBody(detail)
  const lines = options.json ? [JSON.stringify(toJson(detail))] : formatDetail(detail)
  process.stdout.write(`${lines.join('\n')}\n`)
  return true
}

function printBody({ entry, body }: EntryDetail): boolean {
  if (body === null) {
    process.stderr.write(`error: the body of ${entry.eventId} is gone: retention dropped it, and kept the facts\n`)
    return false
  }
  process.stdout.write(body)
  return true
}

/** The entry's own fields, as `list` has them, and beside its count of attempts their history. */
function toJson({ entry, attempts, body, decision, forwards }: EntryDetail) {
  const history = attempts.map((attempt) => ({ ...attempt, durationMs: durationOf(attempt) }))
  return { ...entry, bodyBytes: body?.byteLength ?? null, decision, history, forwards }
}

function formatDetail({ entry, attempts, body, decision, forwards }: EntryDetail): string[] {
  const facts = Object.entries(entry).map(([name, value]) => ({ cells: [toWords(name)], text: describe(value) }))
  const size = body === null ? 'dropped by retention' : `${body.byteLength} bytes; --payload prints them`
  const header = headerRow(['REPLAY', 'ATTEMPT', 'STARTED', 'TOOK', 'OUTCOME'], 'ERROR')
  const history = attempts.length === 0 ? [] : ['', ...formatTable([header, ...attempts.map(toRow)], terminalWidth())]
  const replied = decision === null ? [] : [{ cells: ['replied'], text: describeDecision(decision) }]
  return [
    ...formatTable([...facts, { cells: ['body'], text: size }, ...replied], terminalWidth()),
    ...history,
    ...formatForwards(forwards),
  ]
}

/** Each with how its last attempt ended. */
function formatForwards(forwards: EntryDetail['forwards']): string[] {
  if (forwards.length === 0) return []
  const header = headerRow(['TARGET', 'STATE', 'ATTEMPTS', 'STATUS'], 'REASON')
  const rows = forwards.map(({ target, state, attempts, reason, history }) => ({
    cells: [target, state, String(attempts), String(history.at(-1)?.status ?? '–')],
    text: reason ?? '',
  }))
  return ['', ...formatTable([header, ...rows], terminalWidth())]
}

function toRow(attempt: Attempt): TableRow {
  const { replay, number, startedAt, outcome, error } = attempt
  const took = formatDuration(durationOf(attempt))
  return { cells: [String(replay), String(number), startedAt.toISOString(), took, outcome], text: error ?? '' }
}

function durationOf({ startedAt, endedAt }: Attempt): number {
  return endedAt.getTime() - startedAt.getTime()
}

/** `receivedAt` → `received at`. */
function toWords(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

function describe(value: unknown): string {
  if (value instanceof Date) return `${value.toISOString()}${describeAge(value)}`
  return value === null || value === '' ? '–' : String(value)
}

function describeAge(at: Date): string {
  const ageMs = Date.now() - at.getTime()
  return ageMs < 0 ? ` (in ${formatDuration(-ageMs)})` : ` (${formatDuration(ageMs)} ago)`
}
