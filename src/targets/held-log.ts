import type { NewForward } from '../event.ts'
import type { Log } from '../log.ts'

const EVERY_MS = 1_000

/**
 * Warns of forwards that are held as they arrive: their target's `where` fails, or they go in a circle. A line a second for each target,
 * with how many it stands for; the first at once.
 */
export function createHeldLog(log: Log): (forwards: readonly NewForward[]) => void {
  /** Held since the last line of their target, of which the last reason is told. */
  const since = new Map<string, { count: number; reason: string }>()

  function tell(target: string, reason: string, forwards: number): void {
    since.set(target, { count: 0, reason })
    setTimeout(tellTheRest, EVERY_MS, target).unref()
    log.warn({ target, reason, forwards }, 'forwards are held; mend the cause, then `targets replay`')
  }

  function tellTheRest(target: string): void {
    const waiting = since.get(target)
    since.delete(target)
    if (waiting !== undefined && waiting.count > 0) tell(target, waiting.reason, waiting.count)
  }

  return (forwards) => {
    for (const { target, held } of forwards) {
      if (held === null) continue
      const waiting = since.get(target)
      if (waiting === undefined) tell(target, held, 1)
      else since.set(target, { count: waiting.count + 1, reason: held })
    }
  }
}
