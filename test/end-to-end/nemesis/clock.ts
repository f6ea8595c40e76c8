import type { Fault, Strike } from './fault.ts'
import type { Subject } from './subject.ts'

const SHORTEST_STEP_MS = 1_000
const LONGEST_STEP_MS = 3 * 86_400_000
/** Share of the steps that set it right. */
const RIGHT_SHARE = 0.2

const strike: Strike<Subject> = async ({ subject: { places }, random }) => {
  const victim = random.pick(places)
  const size = Math.round(SHORTEST_STEP_MS * (LONGEST_STEP_MS / SHORTEST_STEP_MS) ** random())
  const direction = random.pick([1, -1])
  const offsetMs = random() < RIGHT_SHARE ? 0 : direction * size
  await victim.stepClock(offsetMs)
  return `set the clock of ${victim.server()?.pid} off by ${offsetMs / 1_000} s`
}

/** Steps the clock of a process, ahead or back. It stays so until the next step, over restarts too. */
export const clock: Fault = {
  name: 'clock',
  summary: 'the clock of a process is stepped, both ways, by up to three days',
  sqlite: strike,
  postgres: strike,
  // Whoever signed by the clock before the step.
  refusal: 400,
}
