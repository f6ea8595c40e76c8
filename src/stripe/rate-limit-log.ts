import type { Log } from '../log.ts'

/** A request that Stripe refused for its rate. */
export interface RateLimited {
  /** See `operationOf`. */
  readonly operation: string
  /** Which limit it was, as Stripe names it: `endpoint-rate`, `global-rate`, `resource-specific` …; null when it does not. */
  readonly reason: string | null
  /** In how many seconds Stripe wants it to come again; null when it does not say. */
  readonly retryAfterSeconds: number | null
}

const QUIET_MS = 60_000
/** Operations that are told apart; the oldest goes first. An id of small letters looks like one of its own. */
const MAX_OPERATIONS = 1_000

/** Gives the function that logs them, once a minute for each operation, with how many there were since. */
export function createRateLimitLog(
  log: Log,
  now: () => number = () => performance.now(),
): (refused: RateLimited) => void {
  const lines = new Map<string, { at: number; refusals: number }>()
  return (refused) => {
    const line = lines.get(refused.operation) ?? { at: Number.NEGATIVE_INFINITY, refusals: 0 }
    lines.set(refused.operation, line)
    if (lines.size > MAX_OPERATIONS) lines.delete(lines.keys().next().value ?? '')
    line.refusals += 1
    if (now() - line.at < QUIET_MS) return
    log.warn({ ...refused, refusals: line.refusals }, 'Stripe limits the rate of requests')
    line.at = now()
    line.refusals = 0
  }
}
