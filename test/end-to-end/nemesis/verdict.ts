import type { Attempt } from '../../../src/event.ts'
import type { EntryDetail } from '../../../src/inbox/inbox.ts'
import type { Delivery } from '../../support/load.ts'
import type { RecordedStep } from '../../support/recording-handlers.ts'
import { LEASE_MS } from './place.ts'
import type { Store } from './subject.ts'

/** What the nemesis did that excuses an attempt that did not count. */
export interface Losses {
  onKilled(pid: number): void
  /** From now until `onWell`, these processes may not reach the store. */
  onCutOff(pids: readonly number[]): void
  onWell(): void
  /** Whether an attempt that the store calls lost or failed may be so; `start` is undefined when its handler never ran. */
  excuse(attempt: Attempt, start: RecordedStep | undefined): boolean
}

interface CutOff {
  readonly pids: readonly number[]
  readonly from: number
  to: number
}

/**
 * On SQLite only the end of its process takes an attempt from it, however long that cannot reach the store; on Postgres the end of its
 * lease, and only when its process had ended or was without the store before. A claim that nobody was told of is lost without a
 * handler that ran. None fails, unless its process stood still in its time.
 */
export function createLosses(store: Store): Losses {
  const killedAt = new Map<number, number>()
  const cutOffs: CutOff[] = []

  const isCutOff = (pid: number, start: number) =>
    cutOffs.some(({ pids, from, to }) => pids.includes(pid) && from < start + LEASE_MS && start < to)

  /** By the clock of Postgres, which is this machine's. */
  function excuseOnPostgres({ startedAt, endedAt }: Attempt, pid: number): boolean {
    const [start, end] = [startedAt.getTime(), endedAt.getTime()]
    return end - start >= LEASE_MS && (isCutOff(pid, start) || (killedAt.get(pid) ?? end) < end)
  }

  return {
    onKilled: (pid) => void killedAt.set(pid, Date.now()),
    onCutOff: (pids) => void cutOffs.push({ pids, from: Date.now(), to: Number.POSITIVE_INFINITY }),
    onWell() {
      for (const cutOff of cutOffs) cutOff.to = Math.min(cutOff.to, Date.now())
    },
    excuse(attempt, start) {
      if (attempt.outcome !== 'lost') return start !== undefined && isCutOff(start.pid, start.at)
      if (start === undefined) return killedAt.size > 0 || cutOffs.length > 0
      // The instants of a SQLite inbox are those of a clock that is stepped.
      return store === 'sqlite' ? killedAt.has(start.pid) : excuseOnPostgres(attempt, start.pid)
    },
  }
}

/** All that is known of an event. */
export interface KnownEvent {
  readonly delivery: Delivery
  /** Both events of a change that came in both shapes, else this one alone. */
  readonly twins: readonly KnownEvent[]
  readonly sentAt: number
  /** When it was first answered 200; undefined before. */
  acknowledgedAt: number | undefined
  /** What its handlers recorded, in the order in which it happened. */
  readonly steps: RecordedStep[]
  /** What the store had of it when it was first seen handled. */
  settled: EntryDetail | undefined
}

/** Two attempts in one lane that ran at once, by the record. */
export type Overlap = readonly [running: RecordedStep, started: RecordedStep]

/**
 * What is wrong with a change whose events the store calls handled, in words: one attempt of one of them was its handling, and each
 * other was lost or failed, with an excuse.
 */
export function judgeChange(twins: readonly KnownEvent[], losses: Losses): string[] {
  const problems = twins.flatMap((event) => judgeEvent(event, losses))
  const handled = twins.filter(({ settled, steps }) => steps.some(({ attempt }) => attempt === settled?.entry.attempts))
  const names = twins.map(({ delivery }) => delivery.eventId).join(' and ')
  if (handled.length === 0) problems.push(`no handler of ${names} ran in the attempt that counts`)
  if (handled.length > 1) problems.push(`${names} are twins, and both were handled`)
  return problems
}

function judgeEvent({ delivery: { eventId }, steps, settled }: KnownEvent, losses: Losses): string[] {
  if (settled === undefined) return []
  const { entry, attempts } = settled
  const told = attempts.map(({ number, outcome }) => `${number} ${outcome}`).join(', ')
  const isInOrder =
    /^(\d+ (lost|retried), )*\d+ handled$/.test(told) && attempts.every(({ number }, i) => number === i + 1)
  if (!isInOrder || attempts.length !== entry.attempts)
    return [`${eventId} is ${entry.state} after ${entry.attempts} attempts, which are on record as: ${told}`]
  const problems: string[] = []
  for (const { attempt } of steps)
    if (attempt > entry.attempts) problems.push(`attempt ${attempt} of ${eventId} was started after it was handled`)
  for (const attempt of attempts) {
    const [start, end] = (['started', 'handled'] as const).map((step) =>
      steps.find((recorded) => recorded.step === step && recorded.attempt === attempt.number),
    )
    const name = `attempt ${attempt.number} of ${eventId}`
    if (attempt.outcome !== 'handled' && !losses.excuse(attempt, start))
      problems.push(`${name} was ${attempt.outcome}${start === undefined ? ' unstarted' : ''}, and nothing excuses it`)
    if (attempt.outcome === 'handled' && start !== undefined && end === undefined)
      problems.push(`${name} counts as handled, and its handler did not end`)
    if (attempt.outcome === 'handled' && start === undefined && !entry.reason?.startsWith('its twin '))
      problems.push(`${name} counts as handled, and its handler did not run`)
  }
  return problems
}

/** What is wrong with two attempts that ran at once: nothing when the store had given up one of them, with an excuse. */
export function judgeOverlap(
  [running, started]: Overlap,
  isGivenUp: (step: RecordedStep) => boolean | undefined,
): string | undefined {
  const verdicts = [isGivenUp(running), isGivenUp(started)]
  if (verdicts.includes(true) || verdicts.includes(undefined)) return undefined
  return `attempt ${started.attempt} of ${started.eventId} was started while attempt ${running.attempt} of ${running.eventId} of its lane was running`
}
