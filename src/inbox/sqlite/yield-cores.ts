import { readlinkSync } from 'node:fs'
import { constants, setPriority } from 'node:os'

/**
 * Lets whatever else wants a core go first: a search of millions of entries may take long, and a delivery may not. Of this thread
 * alone on Linux, where each has an id; elsewhere nothing happens.
 */
export function yieldCores(): void {
  if (process.platform !== 'linux') return
  try {
    const threadId = Number(readlinkSync('/proc/thread-self').split('/').at(-1))
    setPriority(threadId, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // Without the right, or /proc, it goes on as before.
  }
}
