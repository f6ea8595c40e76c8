import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { attemptOutcomes, type Lease, type NewEntry, type Outcome } from '../event.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'
import { createSettling, STORE_RETRY_MS } from '../settle.ts'
import { createWakeUp } from '../wake-up.ts'
import type { Dispatch, Ended } from './dispatch.ts'
import { createTurn } from './turn.ts'

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
  /** Stores an entry as the inbox does, and starts it at once: its handler runs after whoever added it has gone on. */
  add(entry: NewEntry): Promise<'added' | 'duplicate'>
  /** Claims no more, gives running handlers `graceMs`, then aborts them; resolves once every attempt is settled. */
  stop(graceMs: number): Promise<void>
}

/** How long an idle worker trusts that nothing is due: retries and replays by other processes start within this. */
const POLL_MS = 500

/**
 * Starts the loop: claim, dispatch, settle, wait. What arrives while there is room is handed over instead: leased by the transaction
 * that stores it, and run from memory.
 */
export function startWorker(options: WorkerOptions): Worker {
  const { inbox, log, concurrency, leaseMs } = options
  const wakeUp = createWakeUp()
  const shutdown = new AbortController()
  const running = new Set<Lease>()
  const turn = createTurn()
  /** Attempts, arrivals and leases given back that are not through. */
  let underWay = 0
  let onThrough = () => {}
  /** Leased, and not started yet: what finds no place within this turn of the event loop is given back. */
  let waiting: Lease[] = []
  let offered = 0
  /** The last claim found all that it asked for: what arrives now waits behind what is there. */
  let isBehind = true
  let isStopping = false
  const settling = createSettling<Lease, Outcome>({
    log,
    isStopping: () => isStopping,
    record: (lease, outcome) => inbox.settle(lease, outcome),
    async isRecorded({ entry, attempt }, { state }) {
      const history = (await inbox.get(entry.eventId))?.attempts
      return history?.findLast(({ number }) => number === attempt)?.outcome === attemptOutcomes[state]
    },
    refuse: (error) => ({ state: 'dead', error }),
    describe: ({ entry, attempt }, { state }) => ({ eventId: entry.eventId, attempt, outcome: state }),
  })

  const room = () => concurrency + turn.quick() - running.size

  function end(): void {
    underWay -= 1
    if (underWay === 0) onThrough()
  }

  async function work(): Promise<void> {
    while (!isStopping) {
      const isFull = running.size >= concurrency || settling.isBehind()
      if (isFull || !(await claimAndStart(room()))) await wakeUp.wait(POLL_MS)
    }
  }

  /** False when nothing was due. */
  async function claimAndStart(limit: number): Promise<boolean> {
    const leases = await claim(limit)
    isBehind = leases.length === limit
    if (leases.length === 0) return false
    take(leases)
    // By then quick handlers have ended, and the next claim is as large as it may be.
    await nextTurn()
    return true
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

  async function store(entry: NewEntry): Promise<'added' | 'duplicate'> {
    const added = await inbox.add(entry)
    if (added === 'duplicate') return 'duplicate'
    wakeUp.wake()
    return 'added'
  }

  async function handOver(entry: NewEntry): Promise<'added' | 'duplicate'> {
    offered += 1
    underWay += 1
    try {
      const added = await inbox.add(entry, { leaseMs })
      if (added === 'added') wakeUp.wake()
      if (typeof added === 'string') return added
      take([added])
      return 'added'
    } finally {
      offered -= 1
      end()
    }
  }

  /** Starts them once those who wait for the same answer of the store have gone on: a delivery is answered first. */
  function take(leases: readonly Lease[]): void {
    waiting.push(...leases)
    process.nextTick(startWaiting)
    if (!turn.begin()) return
    underWay += 1
    setImmediate(() => void endTurn().finally(end))
  }

  function startWaiting(): void {
    while (!isStopping && running.size < concurrency) {
      const next = waiting.shift()
      if (next === undefined) return
      running.add(next)
      turn.onStarted(next)
      underWay += 1
      void runAttempt(next)
    }
  }

  async function endTurn(): Promise<void> {
    turn.end()
    const leases = waiting
    waiting = []
    if (leases.length > 0) await giveBack(leases)
  }

  async function giveBack(leases: readonly Lease[]): Promise<void> {
    for (;;) {
      try {
        return await inbox.release(leases)
      } catch (error) {
        const facts = { err: error, entries: leases.length }
        if (isStopping) return log.error(facts, 'cannot give leases back; the entries will run once these are over')
        log.error(facts, 'cannot give leases back; will try again')
        await delay(STORE_RETRY_MS)
      }
    }
  }

  async function runAttempt(lease: Lease): Promise<void> {
    const startedAt = performance.now()
    const ended = await options.dispatch(lease, shutdown.signal)
    const durationMs = performance.now() - startedAt
    // The place is free before the settle is durable: both share the next transaction with the next claim.
    running.delete(lease)
    turn.onEnded(lease)
    startWaiting()
    wakeUp.wake()
    const outcome = await settling.settle(lease, ended.outcome)
    if (outcome !== undefined) {
      options.onAttemptEnded?.(lease, outcome, durationMs)
      logEnd(log, lease, { ...ended, outcome }, Math.round(durationMs))
    }
    // The lane may have been what kept the next entry waiting.
    wakeUp.wake()
    end()
  }

  const looping = work()
  return {
    add(entry) {
      const hasRoom = !isBehind && !isStopping && waiting.length + offered < room()
      return hasRoom ? handOver(entry) : store(entry)
    },
    async stop(graceMs) {
      isStopping = true
      wakeUp.wake()
      const timer = setTimeout(() => shutdown.abort(), graceMs)
      await looping
      while (underWay > 0) {
        await new Promise<void>((resolve) => {
          onThrough = resolve
        })
      }
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
