import { setTimeout as delay } from 'node:timers/promises'
import { ReceiverError } from './errors.ts'
import type { Log } from './log.ts'

/** What is settled: an entry, or a forward. */
export interface SettlingOptions<Lease, Outcome> {
  readonly log: Log
  /** While whoever works stops there is no further try. */
  readonly isStopping: () => boolean
  /** As the store does: false when the lease was lost. */
  record(lease: Lease, outcome: Outcome): Promise<boolean>
  /** Whether this attempt's end is on record, and is this one. */
  isRecorded(lease: Lease, outcome: Outcome): Promise<boolean>
  /** In place of a result that the store refuses for what it is, with this reason. */
  refuse(error: string): Outcome
  /** For the log. */
  describe(lease: Lease, outcome: Outcome): Readonly<Record<string, unknown>>
}

export interface Settling<Lease, Outcome> {
  /**
   * Records how the attempt ended; tries until the store says yes or no. Gives what is recorded: another outcome where the store
   * refuses this one for what it is, and undefined when nothing is.
   */
  settle(lease: Lease, outcome: Outcome): Promise<Outcome | undefined>
  /** Whether the store did not take the end of some attempt, and is to be asked for again: before that nothing is claimed. */
  isBehind(): boolean
}

/** Between tries while the store does not answer. */
export const STORE_RETRY_MS = 1_000
const REFUSED = 'the result of its last attempt could not be recorded; the log has the cause'

/** Records the ends of attempts through outages of the store: as long as this process lives, what it leased is its own. */
export function createSettling<Lease, Outcome>({
  log,
  isStopping,
  ...store
}: SettlingOptions<Lease, Outcome>): Settling<Lease, Outcome> {
  let unrecorded = 0

  async function settle(lease: Lease, outcome: Outcome): Promise<Outcome | undefined> {
    const facts = store.describe(lease, outcome)
    let recorded = outcome
    let isUnsure = false
    for (;;) {
      try {
        // After a try whose answer was lost, it may be on record.
        const isSettled =
          (await store.record(lease, recorded)) || (isUnsure && (await store.isRecorded(lease, recorded)))
        if (!isSettled) log.warn(facts, 'lease was lost; the result of this attempt is not recorded')
        return isSettled ? recorded : undefined
      } catch (error) {
        const isAway = error instanceof ReceiverError && error.code === 'store_unavailable'
        const goesOn = !isStopping() && (isAway || recorded === outcome)
        const end = goesOn ? 'will try again' : 'another attempt will be made'
        log.error({ ...facts, err: error }, `cannot settle; ${end}`)
        if (!goesOn) return undefined
        // A result that cannot be recorded at all must not be kept for as long as this process lives.
        if (isAway) isUnsure = true
        else recorded = store.refuse(REFUSED)
        unrecorded += 1
        await delay(STORE_RETRY_MS)
        unrecorded -= 1
      }
    }
  }

  return { settle, isBehind: () => unrecorded > 0 }
}
