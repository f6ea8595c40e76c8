import type { Inbox } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'
import { pause, type Repeating, repeat } from '../repeat.ts'

export interface RetentionOptions {
  readonly inbox: Inbox
  readonly log: Log
  readonly retentionDays: number
}

const DAY_MS = 86_400_000
/** Stripe lets an event be resent for 30 days: its id must be known for longer, or it would be handled twice. */
const SHORTEST_ID_DAYS = 60
const ROUND_MS = 3_600_000
/** 500 rows take about 5 ms; the pause lets deliveries and claims in between. */
const STEP_LIMIT = 500
const STEP_PAUSE_MS = 50
/** More than a clock is off that is set by the network; a laptop that slept longer sits a round out too. */
const LARGEST_STEP_OF_CLOCK_MS = 60_000

/**
 * Drops bodies of settled entries after `retentionDays`, and their ids after twice as long, 60 days at least; hourly, in small steps.
 * What nobody has dealt with stays, with a warning.
 */
export function startRetention(options: RetentionOptions): Repeating {
  const round = createRound(options)
  return repeat(ROUND_MS, (stopping) =>
    round(stopping).catch((error: unknown) =>
      options.log.warn({ err: error }, 'retention failed; will try again in an hour'),
    ),
  )
}

/**
 * Gives the function that goes once through all that is there, and ends early when the signal aborts. It sits a round out when the
 * clock jumped since it looked at it last: an hour later either that is the time, or the clock was set back.
 */
export function createRound(
  { inbox, log, retentionDays }: RetentionOptions,
  { wall = Date.now, monotonic = () => performance.now() } = {},
): (stopping: AbortSignal) => Promise<void> {
  const policy = {
    bodiesAfterMs: retentionDays * DAY_MS,
    entriesAfterMs: Math.max(retentionDays * 2, SHORTEST_ID_DAYS) * DAY_MS,
    limit: STEP_LIMIT,
  }
  let offset = wall() - monotonic()

  function isClockSteady(): boolean {
    const last = offset
    offset = wall() - monotonic()
    return Math.abs(offset - last) <= LARGEST_STEP_OF_CLOCK_MS
  }

  /** False when it ended because the clock jumped. */
  async function pruneAll(signal: AbortSignal): Promise<boolean> {
    const dropped = { bodies: 0, entries: 0 }
    try {
      for (let after: string | undefined; !signal.aborted; await pause(STEP_PAUSE_MS, signal)) {
        if (!isClockSteady()) return false
        const { bodies, entries, next } = await inbox.prune({ ...policy, ...(after !== undefined && { after }) })
        dropped.bodies += bodies
        dropped.entries += entries
        if (next === null) return true
        after = next
      }
      return true
    } finally {
      if (dropped.bodies + dropped.entries > 0) log.info(dropped, 'retention dropped old bodies and entries')
    }
  }

  async function warnOfUndealt(): Promise<void> {
    const { entries, oldestMs } = await inbox.undealt()
    if (oldestMs === null || oldestMs < policy.bodiesAfterMs) return
    log.warn({ entries, oldestDays: Math.floor(oldestMs / DAY_MS) }, UNDEALT)
  }

  return async (signal) => {
    const isDone = await pruneAll(signal)
    if (!isDone) log.warn('the clock jumped: retention drops nothing for an hour')
    else if (!signal.aborted) await warnOfUndealt()
  }
}

const UNDEALT =
  'dead or parked entries wait for someone and are kept: see `events list --state dead,parked`, then replay or drop them'
