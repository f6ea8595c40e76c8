import type { Log } from '../log.ts'

/** Handlers that go on past their time limit: once they hold every place, nothing else is handled, and someone has to know. */
export interface Overrun {
  /** By how much their number changed. */
  onChange(change: 1 | -1): void
  /** Undefined while all is well. */
  describeFault(): string | undefined
}

export function createOverrun(concurrency: number, log: Log): Overrun {
  let handlers = 0
  const isFull = () => handlers >= concurrency
  return {
    onChange(change) {
      handlers += change
      if (change === 1 && isFull())
        log.error({ handlers }, 'every place is held by a handler past its time limit: nothing else is handled')
    },
    describeFault: () => (isFull() ? 'every place is held by a handler past its time limit' : undefined),
  }
}
