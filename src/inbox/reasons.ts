import type { Outcome } from '../event.ts'

/** Of an attempt whose lease ended before it did. */
export const LOST_REASON = 'the process ended, or its lease ran out, before it settled'

/** Why an attempt ended so; null when there is nothing to tell. */
export function reasonOf(outcome: Outcome): string | null {
  if ('error' in outcome) return outcome.error
  return outcome.state === 'handled' ? (outcome.reason ?? null) : null
}
