export interface WakeUp {
  /** Ends the current wait, or the next one at once: no wake-up is lost between two waits. */
  wake(): void
  /** Resolves at the next wake-up, after `maxMs` at the latest. One waiter at a time. */
  wait(maxMs: number): Promise<void>
}

/** A latch between those who bring work and the one who waits for it. */
export function createWakeUp(): WakeUp {
  let isAwake = false
  let endWait: (() => void) | undefined
  return {
    wake() {
      isAwake = true
      endWait?.()
    },
    async wait(maxMs) {
      if (!isAwake) {
        const { promise, resolve } = Promise.withResolvers<void>()
        endWait = resolve
        const timer = setTimeout(resolve, maxMs)
        await promise
        clearTimeout(timer)
        endWait = undefined
      }
      isAwake = false
    },
  }
}
