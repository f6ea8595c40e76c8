import type { RecordedStep } from '../support/recording-handlers.ts'

/** Reads what the handlers recorded and finds what must never be. */
export interface StepCheck {
  /** Takes in the next steps. */
  take(steps: readonly RecordedStep[]): void
  startsOf(eventId: string): number
}

/**
 * An attempt is started once over all processes, since it was counted durably before; an event once in a process, since none of
 * these attempts fails or outlives its lease; and never two of one lane at a time. What breaks this goes to `problems`.
 */
export function createStepCheck(laneOf: (eventId: string) => string | undefined, problems: string[]): StepCheck {
  const starts = new Map<string, number>()
  const begun = new Set<string>()
  const runningLanes = new Map<string, string>()
  let runningPid: number | undefined

  function start({ eventId, attempt, pid }: RecordedStep, lane: string): void {
    starts.set(eventId, (starts.get(eventId) ?? 0) + 1)
    for (const once of [`attempt ${attempt} of ${eventId}`, `${eventId} in process ${pid}`]) {
      if (begun.has(once)) problems.push(`${once} was started twice`)
      begun.add(once)
    }
    const other = runningLanes.get(lane)
    if (other !== undefined) problems.push(`${eventId} was started while ${other} of its lane was running`)
    runningLanes.set(lane, eventId)
  }

  return {
    startsOf: (eventId) => starts.get(eventId) ?? 0,
    take(steps) {
      for (const step of steps) {
        // What a process had running ended with it.
        if (step.pid !== runningPid) runningLanes.clear()
        runningPid = step.pid
        const lane = laneOf(step.eventId)
        if (lane === undefined) problems.push(`${step.eventId} was started and never sent`)
        else if (step.step === 'started') start(step, lane)
        else runningLanes.delete(lane)
      }
    },
  }
}
