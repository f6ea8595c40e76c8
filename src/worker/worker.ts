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
/** Between tries while the store does not answer. */
const STORE_RETRY_MS = 1_000

/** Starts the loop: claim, dispatch, settle, wait. */
export function startWorker(options: WorkerOptions): Worker {
  const { inbox, log, concurrency, leaseMs } = options
  const wakeUp = createWakeUp()
  const shutdown = new AbortController()
  const running = new Set<Lease>()
  const unsettled = new Set<Promise<void>>()
  let isStopping = false

  async function work(): Promise<void> {
    while (!isStopping) {
      const free = concurrency - running.size
      const leases = free > 0 ? await claim(free) : []
      for (const lease of leases) start(lease)
      if (leases.length === 0) await wakeUp.wait(POLL_MS)
    }
  }

  async function claim(limit: number): Promise<Lease[]> {
    try {
      return await inbox.claim({ limit, leaseMs })
    } catch (error) {
      log.error({ err: error }, 'cannot claim entries; will try again')
      await delay(STORE_RETRY_MS)
      return []
    }
  }

  function start(lease: Lease): void {
    running.add(lease)
    const attempt = runAttempt(lease).finally(() => unsettled.delete(attempt))
    unsettled.add(attempt)
  }

  async function runAttempt(lease: Lease): Promise<void> {
    const startedAt = performance.now()
    const ended = await options.dispatch(lease, shutdown.signal)
    const durationMs = performance.now() - startedAt
    // The slot is free before the settle is durable: both share the next transaction with the next claim.
    running.delete(lease)
    wakeUp.wake()
    const isSettled = await settle(lease, ended, startedAt + leaseMs)
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
