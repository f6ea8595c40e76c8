import type { EntryState } from '../../event.ts'
import type { EntryDetail, Inbox } from '../../inbox/inbox.ts'
import type { Answer } from '../../samples/send.ts'
import type { DemoDelivery } from './plan.ts'

/** One line of the server's log. */
export interface LogLine {
  readonly msg: string
  readonly [field: string]: unknown
}

/** What became of a delivery of the demo. */
export interface DemoResult {
  readonly delivery: DemoDelivery
  /** HTTP status, or why there was no answer. */
  readonly answer: number | string
  /** Null when nothing was stored. */
  readonly state: EntryState | null
  /** What the handler, or the receiver in its place, has to say. */
  readonly message: string
  readonly facts: Readonly<Record<string, unknown>>
  /** What is not as it should be; empty when all is. */
  readonly faults: readonly string[]
}

/** Compares what a delivery was answered and what is stored of it with what should be. */
export async function checkDelivery(
  inbox: Inbox,
  log: readonly LogLine[],
  delivery: DemoDelivery,
  answer: Answer,
): Promise<DemoResult> {
  const detail = await inbox.get(delivery.eventId)
  const status = 'status' in answer ? answer.status : answer.failure
  return {
    delivery,
    answer: status,
    state: detail?.entry.state ?? null,
    ...describe(log, delivery, answer),
    faults: [...checkAnswer(delivery, status), ...checkEntry(delivery, detail)],
  }
}

function checkAnswer({ expectedStatus }: DemoDelivery, status: number | string): string[] {
  return status === expectedStatus ? [] : [`expected the answer ${expectedStatus}, got ${status}`]
}

function checkEntry(delivery: DemoDelivery, detail: EntryDetail | undefined): string[] {
  const state = detail?.entry.state ?? null
  if (state !== delivery.expectedState) {
    return [`expected ${delivery.expectedState ?? 'nothing stored'}, got ${state ?? 'nothing stored'}`]
  }
  if (detail === undefined) return []
  const { entry, attempts, body } = detail
  const isExact = body !== null && Buffer.from(body).equals(Buffer.from(delivery.body))
  return [
    ...(isExact ? [] : ['the stored body is not the one that was sent']),
    ...(attempts.length === 1 ? [] : [`expected one attempt, got ${attempts.length}`]),
    ...(entry.route === delivery.route ? [] : [`expected the ${delivery.route} route, got ${entry.route}`]),
    ...(entry.shape === delivery.shape ? [] : [`expected a ${delivery.shape} event, got ${entry.shape}`]),
  ]
}

/** Compares the inbox as a whole: one entry for each event id that was to be stored, and no others. */
export async function checkInbox(inbox: Inbox, results: readonly DemoResult[]): Promise<string[]> {
  const expected = new Set(results.flatMap(({ delivery }) => (delivery.expectedState === null ? [] : delivery.eventId)))
  const counts = Object.values(await inbox.counts()).reduce((sum, count) => sum + count, 0)
  return counts === expected.size ? [] : [`expected ${expected.size} entries in the inbox, got ${counts}`]
}

/** What to say of a delivery: the handler's own log line, or why no handler ran for it. */
function describe(
  log: readonly LogLine[],
  { eventId, kind }: DemoDelivery,
  answer: Answer,
): Pick<DemoResult, 'message' | 'facts'> {
  const code = 'code' in answer ? answer.code : undefined
  if (kind === 'forged') return { message: `refused: ${code ?? 'without a code'}`, facts: {} }
  if (kind === 'duplicate') return { message: 'the same event again: not stored or handled twice', facts: {} }
  const lines = log.filter((line) => line.eventId === eventId)
  // The worker's own lines count the attempt; a handler's do not.
  const line = lines.find((candidate) => !('attempt' in candidate)) ?? lines[0]
  if (line === undefined) return { message: 'nothing in the log', facts: {} }
  const { msg, level, time, eventId: _id, type, account, attempt, durationMs, ...facts } = line
  return { message: msg, facts }
}
