import type { Fault, Strike } from './fault.ts'
import type { Subject } from './subject.ts'

/** Share of the strikes that hit every process at once. */
const ALL_SHARE = 0.25
/** Share in which one more process is killed while it starts, and the time in which that falls. */
const AT_START_SHARE = 0.25
const LONGEST_START_MS = 400

const strike: Strike<Subject> = async ({ subject: { places }, random, inspect }) => {
  const victims = random() < ALL_SHARE ? places : [random.pick(places)]
  const startMs = random() < AT_START_SHARE ? random() * LONGEST_START_MS : undefined
  const pids = await Promise.all(victims.map((place) => place.kill()))
  await inspect()
  if (startMs !== undefined) for (const place of victims) await place.killAtStart(startMs)
  await Promise.all(victims.map((place) => place.start()))
  const again = startMs === undefined ? '' : `, and the next after ${Math.round(startMs)} ms`
  return `killed ${pids.join(' and ')}${again}`
}

/** Ends processes by SIGKILL, also while they start. */
export const kill: Fault = { name: 'kill', summary: 'SIGKILL, and start again', sqlite: strike, postgres: strike }
