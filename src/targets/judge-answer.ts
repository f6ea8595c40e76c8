import type { ForwardOutcome } from '../inbox/forwards.ts'
import { retryDelay } from '../retry-delay.ts'
import type { LoadedTarget } from './load.ts'
import type { Sent } from './send.ts'

/** What an answer means for the forward. */
export interface Judging {
  readonly target: Pick<LoadedTarget, 'final'>
  readonly attempt: number
  readonly maxAttempts: number
  readonly random: () => number
}

/**
 * 2xx is delivered; all else is made again as handlers are, until the attempts are used up, unless its status is final. Who asks for time
 * is asked again after any number of attempts.
 */
export function judgeAnswer(
  { status, retryAfterMs, answer, error }: Sent,
  { target, attempt, maxAttempts, random }: Judging,
): ForwardOutcome {
  if (status !== null && status >= 200 && status < 300) return { state: 'delivered', status, answer: null }
  const failed = { status, answer, error: error ?? `answered ${status}` }
  if (status !== null && target.final.includes(status)) return { state: 'dead', ...failed }
  // Held, not failed: it goes on where it was once somebody resumes the target.
  if (status === 410) return { state: 'pending', retryInMs: 0, ...failed }
  const pauseMs = pauseOf({ status, retryAfterMs })
  const retryInMs = retryDelay(attempt, pauseMs === undefined ? maxAttempts : Infinity, random)
  if (retryInMs === undefined) return { state: 'dead', ...failed }
  return { state: 'pending', retryInMs: Math.max(retryInMs, pauseMs ?? 0), ...failed }
}

/** For how long the target asked to be left alone, in milliseconds; undefined when it did not. */
export function pauseOf({ status, retryAfterMs }: Pick<Sent, 'status' | 'retryAfterMs'>): number | undefined {
  return (status === 429 || status === 503) && retryAfterMs !== null ? retryAfterMs : undefined
}
