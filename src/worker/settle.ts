import { setTimeout as delay } from 'node:timers/promises'
import { ReceiverError } from '../errors.ts'
import { attemptOutcomes, type Lease, type Outcome } from '../event.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'

export interface SettlingOptions {
  readonly inbox: Pick<Inbox, 'settle' | 'get'>
  readonly log: Log
  /** While the worker stops there is no further try. */
  readonly isStopping: () => boolean
}

export interface Settling {
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
/** In place of a result that the store refuses for what it is. */
const REFUSED: Outcome = {
  state: 'dead',
  error: 'the result of its last attempt could not be recorded; the log has the cause',
}

/** Records the ends of attempts through outages of the store: as long as this process lives, the entry is its own. */
export function createSettling({ inbox, log, isStopping }: SettlingOptions): Settling {
  let unrecorded = 0

  /** After a try whose answer was lost. */
  async function isRecorded({ entry, attempt }: Lease, outcome: Outcome): Promise<boolean> {
    const found = await inbox.get(entry.eventId)
    return (
      found?.attempts.some(
        (recorded) => recorded.number === attempt && recorded.outcome === attemptOutcomes[outcome.state],
      ) ?? false
    )
  }

  async function settle(lease: Lease, outcome: Outcome): Promise<Outcome | undefined> {
    const facts = { eventId: lease.entry.eventId, attempt: lease.attempt, outcome: outcome.state }
    let isRefused = false
    let isUnsure = false
    for (;;) {
      try {
        const recorded = isRefused ? REFUSED : outcome
        const isSettled = (await inbox.settle(lease, recorded)) || (isUnsure && (await isRecorded(lease, recorded)))
        if (!isSettled) log.warn(facts, 'lease was lost; the result of this attempt is not recorded')
        return isSettled ? recorded : undefined
      } catch (error) {
        const isAway = error instanceof ReceiverError && error.code === 'store_unavailable'
        const goesOn = !isStopping() && (isAway || !isRefused)
        log.error(
          { ...facts, err: error },
          goesOn ? 'cannot settle; will try again' : 'cannot settle; the entry will run again',
        )
        if (!goesOn) return undefined
        // A result that cannot be recorded at all must not make the entry run for ever.
        if (isAway) isUnsure = true
        else isRefused = true
        unrecorded += 1
        await delay(STORE_RETRY_MS)
        unrecorded -= 1
      }
    }
  }

  return { settle, isBehind: () => unrecorded > 0 }
}
