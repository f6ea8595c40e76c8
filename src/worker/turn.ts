import type { Lease } from '../event.ts'

/** More in one transaction gained nothing, and each has its body in memory. */
const MAX_QUICK = 240

/**
 * Which handlers end in the turn of the event loop in which they start: those took no place, so there is room for as many more. Grows
 * from turn to turn until one of a turn's handlers does not.
 */
export function createTurn() {
  const started = new Set<Lease>()
  let isOpen = false
  let ended = 0
  let quick = 0
  return {
    /** False when it has begun already. */
    begin(): boolean {
      if (isOpen) return false
      isOpen = true
      return true
    },
    onStarted: (lease: Lease) => void started.add(lease),
    onEnded(lease: Lease): void {
      if (started.delete(lease)) ended += 1
    },
    end(): void {
      quick = started.size > 0 ? ended : Math.min(MAX_QUICK, quick + ended)
      started.clear()
      ended = 0
      isOpen = false
    },
    quick: () => quick,
  }
}
