import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Log } from '../log.ts'

const LOOK_MS = 10_000
const RESOLUTION_MS = 20
const NANOSECONDS = 1e6

/** Warns, every ten seconds at most, when the event loop stood still for more than a tenth of the time for an answer; gives what ends it. */
export function warnOfLoopDelay(withinMs: number, log: Log, lookMs = LOOK_MS): () => void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  const timer = setInterval(() => {
    // What it measures begins with the time between two of its looks.
    const delayMs = Math.round(delay.max / NANOSECONDS) - RESOLUTION_MS
    delay.reset()
    if (delayMs > withinMs / 10)
      log.warn(
        { delayMs, withinMs },
        'the event loop stood still: requests for an answer want a process without heavy handlers (ROLE)',
      )
  }, lookMs).unref()
  return () => {
    clearInterval(timer)
    delay.disable()
  }
}
