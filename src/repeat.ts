import { setTimeout as delay } from 'node:timers/promises'

/** Work that is done again and again. */
export interface Repeating {
  /** Begins no round any more; resolves once the one under way is done. */
  stop(): Promise<void>
}

/** Does a round now, and each `everyMs` after its end. A round must not reject; the signal tells it to come to its end. */
export function repeat(everyMs: number, round: (stopping: AbortSignal) => Promise<void>): Repeating {
  const stopping = new AbortController()
  const { signal } = stopping

  async function work(): Promise<void> {
    for (; !signal.aborted; await pause(everyMs, signal)) await round(signal)
  }

  const working = work()
  return {
    stop() {
      stopping.abort()
      return working
    },
  }
}

/** Resolves after that time, or once the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return delay(ms, undefined, { signal }).catch(() => undefined)
}
