import type { NewForward } from '../event.ts'
import type { Log } from '../log.ts'
import { createOnceASecond } from '../once-a-second.ts'

/** Warns of forwards that are held as they arrive (their target's `where` fails, or they go in a circle): a line a second for each target. */
export function createHeldLog(log: Log): (forwards: readonly NewForward[]) => void {
  const tell = createOnceASecond(({ target, held: reason }: NewForward, forwards) =>
    log.warn({ target, reason, forwards }, 'forwards are held; mend the cause, then `targets replay`'),
  )
  return (forwards) => {
    for (const forward of forwards) if (forward.held !== null) tell(forward.target, forward)
  }
}
