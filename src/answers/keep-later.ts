import { setTimeout as delay } from 'node:timers/promises'
import { ReceiverError } from '../errors.ts'
import { createRoom } from '../inbox/room.ts'
import type { Log } from '../log.ts'

/** What was replied and could not be stored yet. */
export interface Unkept {
  readonly eventId: string
  /** Of its body. */
  readonly bytes: number
  /** Rejects while the store is down. */
  keep(): Promise<unknown>
  /** Called once it is stored, or given up. */
  onEnded(): void
}

export interface KeepLater {
  add(unkept: Unkept): void
  /** Tries once more, for so long at most; what is not stored then is lost. */
  stop(withinMs: number): Promise<void>
}

/** So many wait at most, with 64 MiB of bodies: what is replied beyond is not stored. */
const MAX_WAITING = 10_000
const RETRY_MS = 1_000
const LOST = 'what was replied to a request is lost: it could not be stored'

/** Stores what was replied while the store was down, once it is back, for as long as this process lives. */
export function createKeepLater(log: Log): KeepLater {
  const waiting = new Set<Unkept>()
  const room = createRoom({ maxEntries: MAX_WAITING })
  const stopping = new AbortController()
  let keeping: Promise<void> | undefined

  /** False at the first that finds the store away, or overloaded. */
  async function keepAll(): Promise<boolean> {
    for (const unkept of waiting) {
      const { eventId } = unkept
      try {
        await unkept.keep()
        log.info({ eventId }, 'a reply that went out before it was stored is stored now')
      } catch (err) {
        if (err instanceof ReceiverError) return false
        // It would hold up all that wait behind it.
        log.error({ err, eventId }, LOST)
      }
      waiting.delete(unkept)
      room.give(unkept.bytes)
      unkept.onEnded()
    }
    return true
  }

  async function keepOn(): Promise<void> {
    do await delay(RETRY_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
    while (!(await keepAll()) && !stopping.signal.aborted)
    keeping = undefined
  }

  return {
    add(unkept) {
      if (stopping.signal.aborted || !room.has(unkept.bytes)) {
        log.error({ eventId: unkept.eventId }, LOST)
        return unkept.onEnded()
      }
      room.take(unkept.bytes)
      waiting.add(unkept)
      keeping ??= keepOn()
    },
    async stop(withinMs) {
      stopping.abort()
      const timer = new AbortController()
      await Promise.race([keeping, delay(withinMs, undefined, { signal: timer.signal }).catch(() => undefined)])
      timer.abort()
      for (const { eventId } of waiting) log.error({ eventId }, LOST)
    },
  }
}
