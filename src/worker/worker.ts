import { setTimeout as delay } from 'node:timers/promises'
import { ReceiverError } from '../errors.ts'
import type { Lease, Outcome } from '../event.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'
import type { Dispatch, Ended } from './dispatch.ts'
import { createWakeUp } from './wake-up.ts'

export interface WorkerOptions {
  readonly inbox: Inbox
  readonly dispatch: Dispatch
  readonly log: Log
  /** Handlers running at once, 1 or more. */
  readonly concurrency: number
  readonly leaseMs: number
  /** Told of each attempt whose end was recorded. */
  readonly onAttemptEnded?: (lease: Lease, outcome: Outcome, durationMs: number) => void
}

export interface Worker {
  /** Tells that an entry was stored, so that it starts at once. */
  nudge(): void
  /** Claims no more, gives running handlers `graceMs`, then aborts them; resolves once every attempt is settled. */
  stop(graceMs: number): Promise<void>
}

/** How long an idle worker trusts that nothing is due: retries and replays by other processes start within this. */
const POLL_MS = 500
/** Quick handlers find their next entries claimed already: about as many as they get through in this time. */
const AHEAD_MS = 20
/** At most; more in one transaction gained nothing, and each has its body in memory. */
const MAX_AHEAD = 240
/** An entry that was claimed ahead and does not start within this is given back, for whoever has a free place. */
const MAX_AHEAD_WAIT_MS = 100
/** Between tries while the store does not answer. */
const STORE_RETRY_MS = 1_000

/** Starts the loop: claim, dispatch, settle, wait. */
export function startWorker(options: WorkerOptions): Worker {
  const { inbox, log, concurrency, leaseMs } = options
  const wakeUp = createWakeUp()
  const shutdown = new AbortController()
  const running = new Set<Lease>()
  /** Claimed ahead, and not started yet: all of one claim, the last. */
  let waiting: Lease[] = []
  /** When the last claim was asked for: its leases began then, or a little later. */
  let claimedAt = Number.NEGATIVE_INFINITY
  let endedSinceClaim = 0
  const unsettled = new Set<Promise<void>>()
  let isStopping = false

  async function work(): Promise<void> {
    while (!isStopping) {
      const free = concurrency - running.size
      if (waiting.length > 0) await waitForPlaces()
      else if (free === 0 || !(await claimAndStart(free))) await wakeUp.wait(POLL_MS)
    }
    await releaseWaiting()
  }

  /** False when nothing was due. */
  async function claimAndStart(free: number): Promise<boolean> {
    const leases = await claim(free + countAhead())
    const isAnyDue = leases.length > 0
    if (!isStopping) for (const lease of leases.splice(0, free)) start(lease)
    waiting = leases
    return isAnyDue
  }

  function countAhead(): number {
    const sinceMs = performance.now() - claimedAt
    return Math.min(MAX_AHEAD, Math.floor(endedSinceClaim * Math.min(1, AHEAD_MS / sinceMs)))
  }

  async function claim(limit: number): Promise<Lease[]> {
    claimedAt = performance.now()
    endedSinceClaim = 0
    try {
      return await inbox.claim({ limit, leaseMs })
    } catch (error) {
      log.error({ err: error }, 'cannot claim entries; will try again')
      await delay(STORE_RETRY_MS)
      return []
    }
  }

  function startWaiting(): void {
    while (!isStopping && running.size < concurrency && aheadLeftMs() > 0) {
      const lease = waiting.shift()
      if (lease === undefined) return
      start(lease)
    }
  }

  const aheadLeftMs = () => claimedAt + MAX_AHEAD_WAIT_MS - performance.now()

  async function waitForPlaces(): Promise<void> {
    if (aheadLeftMs() > 0) await wakeUp.wait(aheadLeftMs())
    else await releaseWaiting()
  }

  async function releaseWaiting(): Promise<void> {
    if (waiting.length === 0) return
    const leases = waiting
    waiting = []
    await inbox.release(leases).catch((error: unknown) => {
      log.error(
        { err: error, entries: leases.length },
        'cannot give leases back; the entries will run once these are over',
      )
    })
  }

  function start(lease: Lease): void {
    running.add(lease)
    const attempt = runAttempt(lease, claimedAt + leaseMs).finally(() => unsettled.delete(attempt))
    unsettled.add(attempt)
  }

  async function runAttempt(lease: Lease, leaseEnd: number): Promise<void> {
    const startedAt = performance.now()
    const ended = await options.dispatch(lease, shutdown.signal)
    const durationMs = performance.now() - startedAt
    // The slot is free before the settle is durable: both share the next transaction with the next claim.
    running.delete(lease)
    endedSinceClaim += 1
    startWaiting()
    wakeUp.wake()
    const isSettled = await settle(lease, ended, leaseEnd)
    if (isSettled) {
      options.onAttemptEnded?.(lease, ended.outcome, durationMs)
      logEnd(log, lease, ended, Math.round(durationMs))
    }
    // The lane may have been what kept the next entry waiting.
    wakeUp.wake()
  }

  /** Tries until the store answers or the lease is over; the attempt is lost then, and another will be made. */
  async function settle(lease: Lease, { outcome }: Ended, leaseEnd: number): Promise<boolean> {
    const facts = { eventId: lease.entry.eventId, attempt: lease.attempt, outcome: outcome.state }
    for (;;) {
      try {
        const isSettled = await inbox.settle(lease, outcome)
        if (!isSettled) log.warn(facts, 'lease was lost; the result of this attempt is not recorded')
        return isSettled
      } catch (error) {
        const isWorthRetrying =
          error instanceof ReceiverError && error.code === 'store_unavailable' && performance.now() < leaseEnd
        log.error(
          { ...facts, err: error },
          isWorthRetrying ? 'cannot settle; will try again' : 'cannot settle; the entry will run again',
        )
        if (!isWorthRetrying || isStopping) return false
        await delay(STORE_RETRY_MS)
      }
    }
  }

  const looping = work()
  return {
    nudge: wakeUp.wake,
    async stop(graceMs) {
      isStopping = true
      wakeUp.wake()
      const timer = setTimeout(() => shutdown.abort(), graceMs)
      await looping
      await Promise.all(unsettled)
      clearTimeout(timer)
    },
  }
}

function logEnd(log: Log, { entry, attempt }: Lease, { outcome, error }: Ended, durationMs: number): void {
  const facts = {
    eventId: entry.eventId,
    type: entry.type,
    ...(entry.account === null ? {} : { account: entry.account }),
    attempt,
    durationMs,
  }
  const failure = error === undefined ? {} : { err: error }
  if (outcome.state === 'pending')
    log.warn({ ...facts, ...failure, retryInMs: outcome.retryInMs }, 'attempt failed; will be retried')
  else if (outcome.state === 'dead')
    log.error({ ...facts, ...failure, reason: outcome.error }, 'event is dead; replay it once the cause is mended')
  else log.info(facts, outcome.state === 'handled' ? 'event handled' : 'event unhandled: no handler for its type')
}
