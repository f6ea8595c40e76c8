import { type RecordedStep, readRecord } from './recording-handlers.ts'

/** Reads what the handlers of several processes recorded in one file, and finds what must never be. */
export interface ProcessSteps {
  /** Takes in what was recorded since the last time. */
  read(): void
  /** Call when a process was killed and has ended: what it had running ended with it. */
  onKilled(pid: number): void
  startsOf(eventId: string): number
  /** How many a process has running. */
  runningIn(pid: number): number
  readonly problems: readonly string[]
}

/**
 * An attempt is started once over all processes, since it was counted durably before; and never two of one lane at a time. The file
 * has the steps in the order in which they happened, since each is one append.
 */
export function createProcessSteps(file: string, laneOf: (eventId: string) => string | undefined): ProcessSteps {
  const starts = new Map<string, number>()
  const begun = new Set<string>()
  const running = new Map<string, RecordedStep>()
  const problems: string[] = []
  let end = 0

  function take(recorded: RecordedStep): void {
    const { step, eventId, attempt, pid } = recorded
    const lane = laneOf(eventId)
    if (lane === undefined) return void problems.push(`${eventId} was started and never sent`)
    const other = running.get(lane)
    if (step === 'handled') {
      if (other?.eventId !== eventId || other.pid !== pid) problems.push(`${eventId} ended beside another of its lane`)
      running.delete(lane)
      return
    }
    if (begun.has(`${attempt} ${eventId}`)) problems.push(`attempt ${attempt} of ${eventId} was started twice`)
    if (other !== undefined) problems.push(`${eventId} was started while ${other.eventId} of its lane was running`)
    begun.add(`${attempt} ${eventId}`)
    starts.set(eventId, (starts.get(eventId) ?? 0) + 1)
    running.set(lane, recorded)
  }

  function read(): void {
    const recorded = readRecord(file, end)
    end = recorded.end
    for (const step of recorded.steps) take(step)
  }

  return {
    read,
    problems,
    startsOf: (eventId) => starts.get(eventId) ?? 0,
    runningIn: (pid) => [...running.values()].filter((step) => step.pid === pid).length,
    onKilled(pid) {
      read()
      for (const [lane, step] of running) if (step.pid === pid) running.delete(lane)
    },
  }
}
