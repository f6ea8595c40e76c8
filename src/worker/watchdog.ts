import { Worker } from 'node:worker_threads'
import type { Lease } from '../event.ts'
import type { WatchdogData } from './watchdog-thread.ts'

export interface Watchdog {
  /** Runs it, and knows until it is through that this lease is worked on. */
  watch(lease: Lease, run: () => Promise<void>): Promise<void>
  stop(): Promise<void>
}

export interface WatchdogOptions {
  /** For how long the event loop may stand still. */
  readonly limitMs: number
  /** How many leases are worked on at once. */
  readonly concurrency: number
  /** Without a last word on standard output. */
  readonly isSilent: boolean
}

/** Of an event's id and type together: each is at most 255 characters of ASCII. */
const NAME_BYTES = 512
const BEAT_MS = 1_000
/** The thread holds a few numbers. */
const LIMITS = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 }

/**
 * Ends the process when its event loop has stood still for too long, by a thread that needs no turn of it: a handler that never
 * returns to the loop stops everything, deliveries and SIGTERM too. What ran is told on standard output; the next process finds it
 * lost, as one of its attempts.
 */
export function startWatchdog({ limitMs, concurrency, isSilent }: WatchdogOptions): Watchdog {
  const beats = new Int32Array(new SharedArrayBuffer(4))
  const names = Buffer.from(new SharedArrayBuffer(concurrency * NAME_BYTES))
  const free = Array.from({ length: concurrency }, (_, index) => index * NAME_BYTES)
  const data: WatchdogData = { beats, names, nameBytes: NAME_BYTES, limitMs, beatMs: BEAT_MS, isSilent }
  const thread = new Worker(new URL('./watchdog-thread.ts', import.meta.url), {
    workerData: data,
    resourceLimits: LIMITS,
  })
  thread.unref()
  // Without it everything goes on as before.
  thread.on('error', () => {})
  const timer = setInterval(() => Atomics.add(beats, 0, 1), BEAT_MS)
  timer.unref()

  return {
    async watch({ entry: { eventId, type } }, run) {
      const start = free.pop()
      if (start === undefined) return run()
      const end = start + names.write(`${eventId} ${type}`, start, NAME_BYTES - 1, 'latin1')
      names[end] = 0
      try {
        await run()
      } finally {
        names[start] = 0
        free.push(start)
      }
    },
    async stop() {
      clearInterval(timer)
      await thread.terminate()
    },
  }
}
