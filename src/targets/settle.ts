import { setTimeout as delay } from 'node:timers/promises'
import { ReceiverError } from '../errors.ts'
import { type ForwardLease, type ForwardOutcome, forwardOutcomes } from '../inbox/forwards.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'

export interface ForwardSettlingOptions {
  readonly inbox: Pick<Inbox, 'forwards' | 'get'>
  readonly log: Log
  /** While the forwarder stops there is no further try. */
  readonly isStopping: () => boolean
}

export interface ForwardSettling {
  /**
   * Records how the attempt ended; tries until the store says yes or no. Gives what is recorded: another outcome where the store
   * refuses this one for what it is, and undefined when nothing is.
   */
  settle(lease: ForwardLease, outcome: ForwardOutcome): Promise<ForwardOutcome | undefined>
  /** Whether the store did not take the end of some attempt, and is to be asked for again: before that nothing is claimed. */
  isBehind(): boolean
}

/** Between tries while the store does not answer. */
export const STORE_RETRY_MS = 1_000
/** In place of a result that the store refuses for what it is. */
const REFUSED: ForwardOutcome = {
  ...{ state: 'dead', status: null, answer: null },
  error: 'the result of its last attempt could not be recorded; the log has the cause',
}

/** Records the ends of attempts through outages of the store: as long as this process lives, the forward is its own. */
export function createForwardSettling({ inbox, log, isStopping }: ForwardSettlingOptions): ForwardSettling {
  let unrecorded = 0

  /** After a try whose answer was lost. */
  async function isRecorded({ entry, target, attempt }: ForwardLease, { state }: ForwardOutcome): Promise<boolean> {
    const found = await inbox.get(entry.eventId)
    const history = found?.forwards.find((forward) => forward.target === target)?.history
    return history?.findLast(({ number }) => number === attempt)?.outcome === forwardOutcomes[state]
  }

  async function settle(lease: ForwardLease, outcome: ForwardOutcome): Promise<ForwardOutcome | undefined> {
    const { target, attempt } = lease
    const facts = { eventId: lease.entry.eventId, target, attempt, outcome: outcome.state }
    let isRefused = false
    let isUnsure = false
    for (;;) {
      try {
        const recorded = isRefused ? REFUSED : outcome
        const isSettled =
          (await inbox.forwards.settle(lease, recorded)) || (isUnsure && (await isRecorded(lease, recorded)))
        if (!isSettled) log.warn(facts, 'lease of a forward was lost; the result of this attempt is not recorded')
        return isSettled ? recorded : undefined
      } catch (error) {
        const isAway = error instanceof ReceiverError && error.code === 'store_unavailable'
        const goesOn = !isStopping() && (isAway || !isRefused)
        const end = goesOn ? 'will try again' : 'it will be sent again'
        log.error({ ...facts, err: error }, `cannot settle a forward; ${end}`)
        if (!goesOn) return undefined
        // A result that cannot be recorded at all must not keep the forward for as long as this process lives.
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
