import type { Attempt, EntryState, Lease, Outcome } from '../../../src/event.ts'
import type { Inbox, PrunePolicy } from '../../../src/inbox/inbox.ts'
import type { Clock, Held, Kept, Wait } from './kept.ts'
import { known } from './known.ts'

/** A worker and the duration for which it leases. */
interface Lessee {
  readonly worker: 0 | 1
  readonly leaseMs: number
}

export type Reference = ReturnType<typeof createReference>

/** Real time goes on while a sequence runs: what the store chose is compared with so much to spare. */
const ROUGHLY_MS = 5_000
const DROPPED: readonly EntryState[] = ['handled', 'unhandled']

function reject(why: string): never {
  throw new Error(why)
}

/**
 * What an inbox promises, kept in memory. It is told each call with its answer, follows what the store was free to choose, and
 * throws at what it was not. Of a store that is not shared, both workers are of one process.
 */
export function createReference({ isShared }: { readonly isShared: boolean }) {
  const entries = new Map<string, Kept>()
  const leases: Held[] = []
  /** Of each worker. */
  const processes = isShared ? [0, 1] : [0, 0]
  let lastProcess = 1
  const clock: Clock = { wall: 0, elapsed: 0 }
  let latestWall = 0
  let wasSetBack = false

  const all = () => [...entries.values()]
  const inLane = (lane: string, state: EntryState) => all().filter((kept) => kept.lane === lane && kept.state === state)
  const isAlive = (held: Held) => processes[held.worker] === held.process
  const isOver = ({ endsAt }: Held) => (isShared || known.ownLeasesRunOut) && clock.wall >= endsAt
  const startWait = (ms: number): Wait => ({
    since: { ...clock },
    ms,
    isRough: false,
    isReplay: false,
    isExcused: false,
  })

  function isWaitOver({ since, ms, isRough }: Wait, by: keyof Clock, spareMs: number): boolean {
    return clock[by] - since[by] >= ms + (isRough ? spareMs : 0)
  }

  function mayRun({ wait }: Kept): boolean {
    return wait.isExcused || isWaitOver(wait, 'wall', -ROUGHLY_MS) || isWaitOver(wait, 'elapsed', -ROUGHLY_MS)
  }

  /** Its time has come by the store's clock; or in truth, when that clock shows a time before the wait began. */
  function mustRun({ wait }: Kept): boolean {
    if (known.clockSetBackStopsWork && clock.wall < latestWall) return false
    return (
      isWaitOver(wait, 'wall', ROUGHLY_MS) || (clock.wall < wait.since.wall && isWaitOver(wait, 'elapsed', ROUGHLY_MS))
    )
  }

  /** One that a claim has to find; undefined when it may find none. */
  function findClaimable(): Kept | undefined {
    return all().find(
      (kept) =>
        kept.state === 'pending' && mustRun(kept) && inLane(kept.lane, 'running').length === 0 && !isForgiven(kept),
    )
  }

  /** Nothing of its lane runs, and a lost one waits. */
  function isBehindLost({ lane }: Kept): boolean {
    const isIdle = inLane(lane, 'running').length === 0
    return isIdle && inLane(lane, 'pending').some((other) => other.wait.isRough && !mustRun(other))
  }

  function isForgiven(kept: Kept): boolean {
    return known.lostEntryBlocksLane && isBehindLost(kept) && (!kept.wait.isReplay || known.replayLeavesHeldBack)
  }

  /** What a lease may say of the twin. */
  function handledTwins({ twinId, isAskedFor, replays }: Kept): (string | null)[] {
    const twin = entries.get(twinId)
    if (isAskedFor === true || twin?.wasHandled !== true) return [null]
    const isKnown =
      (known.replayForgetsTwin && replays > 0) || (known.replayedTwinCountsAsUnhandled && twin.replays > 0)
    return isAskedFor === 'perhaps' || isKnown ? [twinId, null] : [twinId]
  }

  function longestWait({ losses, attempts }: Kept): number {
    const counted = known.lossesCountAllAttempts ? Math.max(losses, attempts) : losses
    return counted < 3 ? 0 : Math.min(10_000 * 4 ** (counted - 3), 20_480_000)
  }

  function give(kept: Kept, lease: Lease, { worker, leaseMs }: Lessee): void {
    const [busy] = inLane(kept.lane, 'running')
    const twins = handledTwins(kept)
    if (kept.state !== 'pending') reject(`${kept.id} was leased while it was ${kept.state}`)
    if (busy !== undefined) reject(`${kept.id} was leased while ${busy.id} of its lane ran`)
    if (!mayRun(kept)) reject(`${kept.id} was leased before its time`)
    if (lease.attempt !== kept.attempts + 1) reject(`${kept.id} was leased for the wrong attempt`)
    if (!twins.includes(lease.handledTwin)) reject(`the lease of ${kept.id} has to say that ${twins[0]} was handled`)
    const held = { kept, lease, worker, process: processes[worker] ?? 0, endsAt: clock.wall + leaseMs }
    leases.push(held)
    Object.assign(kept, { state: 'running', attempts: lease.attempt, held })
  }

  function end(kept: Kept, state: EntryState, outcome: Attempt['outcome']): void {
    kept.history.push({ replay: kept.replays, number: kept.attempts, outcome })
    Object.assign(kept, { state, held: undefined })
  }

  return {
    entries,
    isOver,
    /** Leases whose worker may still settle them: its process lives, and was not told that they ended. */
    open: () => leases.filter((held) => isAlive(held) && held.end === undefined),
    /** Those that their worker settled, or found lost, of entries that run once more. */
    ended: () => leases.filter((held) => isAlive(held) && held.end === 'settled' && held.kept.held !== undefined),
    /** Running entries that the next claim has to free. */
    overdue: () => all().filter(({ held }) => held !== undefined && isOver(held)),
    /** How far the clock is behind the latest that it showed. */
    behindMs: () => latestWall - clock.wall,

    step(wallMs: number, elapsedMs: number): void {
      clock.wall += wallMs
      clock.elapsed += elapsedMs
      latestWall = Math.max(latestWall, clock.wall)
      wasSetBack ||= wallMs < 0
      for (const { wait } of all()) wait.isExcused ||= clock.wall < wait.since.wall
    },

    add(
      facts: Pick<Kept, 'id' | 'lane' | 'twinId'> & { readonly state: 'pending' | 'parked' },
      answer: 'added' | 'duplicate' | Lease,
      lessee: Lessee,
    ): void {
      const { id, lane, twinId } = facts
      if (entries.has(id) !== (answer === 'duplicate')) reject(`${id} was added, or not, against what is there`)
      if (answer === 'duplicate') return
      const counts = { attempts: 0, replays: 0, losses: 0, history: [], hasBody: true }
      const kept: Kept = { ...facts, ...counts, wasHandled: false, isAskedFor: false, wait: startWait(0) }
      const waiting = inLane(lane, 'pending').find(({ wait }) => isWaitOver(wait, 'wall', ROUGHLY_MS))
      entries.set(id, kept)
      if (answer === 'added') return
      if (waiting !== undefined) reject(`${id} was handed over while ${waiting.id} of its lane waited`)
      if (entries.has(twinId)) reject(`${id} was handed over though its twin is here`)
      give(kept, answer, lessee)
    },

    /** What was freed by it has to be told first. */
    claim(given: readonly Lease[], limit: number, lessee: Lessee): void {
      const due = findClaimable()
      if (given.length > limit) reject(`${given.length} were leased, and ${limit} asked for`)
      if (given.length === 0 && due !== undefined) reject(`nothing was leased, though ${due.id} was due`)
      for (const lease of given) {
        const { eventId } = lease.entry
        give(entries.get(eventId) ?? reject(`${eventId} was leased, and is not there`), lease, lessee)
      }
    },

    /** Its process was lost, or its lease ran out; it waits for so long, as the store chose. */
    lose(kept: Kept, waitMs: number): void {
      end(kept, 'pending', 'lost')
      kept.losses += 1
      const longest = longestWait(kept)
      if (waitMs > longest) reject(`${kept.id} waits ${waitMs} ms after loss ${kept.losses}`)
      kept.wait = { ...startWait(Math.max(0, waitMs)), isRough: longest > 0 }
    },

    release(held: Held): void {
      held.end = 'released'
      if (held.kept.held !== held) return
      const attempts = held.kept.attempts - 1
      Object.assign(held.kept, { state: 'pending', attempts, wait: startWait(0), held: undefined })
    },

    settle(held: Held, outcome: Outcome, isSettled: boolean): void {
      const isRunning = held.kept.held === held
      held.end = 'settled'
      // A lease that is over may still settle, until someone frees it.
      if (isRunning && !isSettled && !isOver(held))
        reject(`the lease of ${held.kept.id} was lost while its process lived`)
      if (!isSettled) return
      const taken = isRunning ? held.kept : takenFor(held)
      const kept = taken ?? reject(`${held.kept.id} was settled by a lease that had ended`)
      end(kept, outcome.state, outcome.state === 'pending' ? 'retried' : outcome.state)
      kept.wasHandled ||= outcome.state === 'handled' && outcome.reason === undefined
      kept.wait = startWait(outcome.state === 'pending' ? outcome.retryInMs : 0)
    },

    replay(ids: readonly string[], replayed: readonly string[]): void {
      const able = ids.filter((id) => entries.get(id)?.hasBody && entries.get(id)?.state !== 'running')
      if (able.toSorted().join() !== replayed.toSorted().join())
        reject(`it has to replay ${able.join(', ') || 'nothing'}`)
      for (const kept of all().filter(({ id }) => replayed.includes(id))) {
        kept.wait = { ...startWait(0), isReplay: kept.state === 'pending' && isBehindLost(kept) }
        if (kept.state === 'pending') continue
        const isAskedFor = kept.state === 'handled' || (kept.isAskedFor && 'perhaps')
        Object.assign(kept, { state: 'pending', attempts: 0, losses: 0, replays: kept.replays + 1, isAskedFor })
      }
    },

    /** `left` is what is there afterwards. */
    prune(
      { bodiesAfterMs, entriesAfterMs, limit }: PrunePolicy,
      answer: Awaited<ReturnType<Inbox['prune']>>,
      left: ReadonlyMap<string, { readonly hasBody: boolean }>,
    ): void {
      const isOld = ({ wait }: Kept, ms: number) => wait.since.wall < clock.wall - ms
      const isDropped = ({ state }: Kept) =>
        DROPPED.includes(state) || (known.retentionDropsSetAside && ['dead', 'parked'].includes(state))
      const gone = all().filter(({ id }) => !left.has(id))
      const emptied = all().filter(({ id, hasBody }) => hasBody && left.get(id)?.hasBody === false)
      for (const kept of [...gone, ...emptied]) {
        const afterMs = gone.includes(kept) ? entriesAfterMs : bodiesAfterMs
        if (!isDropped(kept) || !isOld(kept, afterMs)) reject(`${kept.id} was dropped, or its body`)
      }
      if (answer.entries !== gone.length || answer.bodies < emptied.length) reject(`${gone.length} entries are gone`)
      if (Math.max(answer.entries, answer.bodies) > limit) reject(`more than ${limit} were dropped`)
      // It finds the old ones by when they were received, as the clock was then.
      const isDone = answer.entries + answer.bodies === 0 && !wasSetBack
      const old = all().find(
        (kept) =>
          DROPPED.includes(kept.state) && (isOld(kept, entriesAfterMs) || (kept.hasBody && isOld(kept, bodiesAfterMs))),
      )
      if (isDone && old !== undefined) reject(`${old.id} was kept, or its body`)
      for (const { id } of gone) entries.delete(id)
      for (const kept of emptied) kept.hasBody = false
    },

    /** What that process ran is nobody's now. Gives what is lost at once: all of it, where no other process can run it. */
    loseProcess(worker: number): Kept[] {
      lastProcess += 1
      for (const each of isShared ? [worker] : processes.keys()) processes[each] = lastProcess
      return isShared ? [] : all().filter(({ state }) => state === 'running')
    },
  }

  /** The running entry whose lease looks like this one, which has ended. */
  function takenFor({ process, lease: { token, attempt } }: Held): Kept | undefined {
    if (!known.endedLeaseSettlesReplay) return undefined
    return all().find(
      ({ held }) => held?.process === process && held.lease.token === token && held.lease.attempt === attempt,
    )
  }
}
