import { ReceiverError } from '../errors.ts'

const MAX_ENTRIES = 4_096
const MAX_BYTES = 64 * 1024 * 1024

/** What may wait to be stored, in entries and in bytes of their bodies. */
export interface Room {
  /** Whether there is room for a body of so many bytes. */
  has(bytes: number): boolean
  /** Throws ReceiverError `overloaded` when there is no room for a body of so many bytes. */
  take(bytes: number): void
  /** Gives back what was taken, once the entry is stored or will never be. */
  give(bytes: number): void
}

/** Bounds memory while the store is slower than its senders: they come later. One entry always has room. */
export function createRoom({ maxEntries = MAX_ENTRIES, maxBytes = MAX_BYTES } = {}): Room {
  let entries = 0
  let held = 0
  const has = (bytes: number) => entries < maxEntries && (entries === 0 || held + bytes <= maxBytes)
  return {
    has,
    take(bytes) {
      if (!has(bytes)) {
        const message = `${entries} entries with ${held} bytes wait to be stored, and no more may; Stripe will deliver again.`
        throw new ReceiverError('overloaded', message)
      }
      entries += 1
      held += bytes
    },
    give(bytes) {
      entries -= 1
      held -= bytes
    },
  }
}
