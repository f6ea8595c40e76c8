import type { Decision } from '../event.ts'
import { formatDuration } from './duration.ts'

/** In one line, what was replied and how it came about. */
export function describeDecision({ answer, how, durationMs, reason }: Decision): string {
  const because = reason === null ? '' : `: ${reason}`
  return `${JSON.stringify(answer)} after ${formatDuration(durationMs)} (${how}${because})`
}
