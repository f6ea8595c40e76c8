import type { Attempt, EntryState, Lease, Outcome } from '../../../src/event.ts'
import type { PrunePolicy } from '../../../src/inbox/inbox.ts'
import { createForwardReference, type TargetName } from './forward-reference.ts'
import type { Worker } from './store.ts'

/** An entry as it has to be. */
export interface Kept {
  readonly id: string
  readonly lane: string
  readonly twinId: string
  /** Number of the call that brought it: of those that come at once, either may be the newer one. */
  readonly arrival: number
  readonly receivedAt: number
  state: EntryState
  hasBody: boolean
  attempts: number
  replays: number
  /** Attempts that were lost since it was received or replayed. */
  losses: number
  readonly history: Pick<Attempt, 'replay' | 'number' | 'outcome'>[]
  /** By a handler of its own, at whatever time. */
  wasHandled: boolean
  /** While it is handled: by a handler of its own. */
  isHandledByOwn: boolean
  /** It was replayed when it was handled: it runs whatever became of its twin. */
  isAskedFor: boolean
  wait: Wait
  /** While it runs. */
  held: Held | undefined
}

/** Since it was received, settled, lost or replayed; how long it waits after a loss is for the store to choose. */
interface Wait {
  readonly since: number
  readonly leastMs: number
  readonly mostMs: number
}

/** A lease that was given. */
export interface Held {
  readonly kept: Kept
  readonly lease: Lease
  readonly worker: Worker
  readonly process: number
  readonly endsAt: number
  /** Its worker settled it, or was told that it was lost. */
  isOver: boolean
}

export type Reference = ReturnType<typeof createReference>

/** Real time goes on while a sequence runs: what ends by the clock is known so well. */
const ROUGHLY_MS = 5_000
/** While its clock is behind what it once was, a store of one server goes on by this share of the time that passes. */
const CATCHING_UP = 0.9

function reject(why: string): never {
  throw new Error(why)
}

/**
 * What an inbox promises, kept in memory: it is told of each call with its answer, follows what the store was free to choose, and
 * throws at what it was not. Processes share a store, or one server owns it: then both workers are in that one, and only its end
 * ends a lease.
 */
export function createReference({ isShared }: { readonly isShared: boolean }, leaseMs: number) {
  const entries = new Map<string, Kept>()
  const leases: Held[] = []
  /** Which process each worker is in. */
  const processes = isShared ? [0, 1] : [0, 0]
  let lastProcess = 1
  /** What the machine's clock shows, and the store's. */
  let [wall, now] = [0, 0]
  let wasSetBack = false
  let arrivals = 0

  const forwards = createForwardReference({
    isShared,
    leaseMs,
    roughlyMs: ROUGHLY_MS,
    now: () => now,
    processOf: (worker) => processes[worker] ?? 0,
    hasBody: (id) => entries.get(id)?.hasBody === true,
    reject,
  })

  const all = () => [...entries.values()]
  const inLane = (lane: string, state: EntryState) => all().filter((kept) => kept.lane === lane && kept.state === state)
  const overdue = () => all().flatMap(({ held }) => (held !== undefined && held.endsAt <= now ? [held] : []))
  const isAlive = (held: Held) => processes[held.worker] === held.process
  const mayRun = ({ wait }: Kept) => now - wait.since >= wait.leastMs
  const mustRun = ({ wait }: Kept) => now - wait.since >= wait.mostMs

  function startWait(ms: number, mostMs = ms): Wait {
    return {
      since: now,
      leastMs: ms === 0 ? -Infinity : ms - ROUGHLY_MS,
      mostMs: mostMs === 0 ? 0 : mostMs + ROUGHLY_MS,
    }
  }

  /** It is over now. */
  function endWait({ since, leastMs, mostMs }: Wait): Wait {
    const ms = Math.min(now - since, mostMs)
    return { since, leastMs: Math.min(ms, leastMs), mostMs: ms }
  }

  /** Most losses are a restart; an event that ends its process again and again waits, up to 5.7 h. */
  const longestWait = (losses: number) => (losses < 3 ? 0 : Math.min(10_000 * 4 ** (losses - 3), 20_480_000))

  function give(kept: Kept, lease: Lease, worker: Worker): void {
    const [busy] = inLane(kept.lane, 'running')
    const handledTwin = !kept.isAskedFor && entries.get(kept.twinId)?.wasHandled === true ? kept.twinId : null
    if (kept.state !== 'pending') reject(`${kept.id} was leased while it was ${kept.state}`)
    if (busy !== undefined) reject(`${kept.id} was leased while ${busy.id} of its lane ran`)
    if (!mayRun(kept)) reject(`${kept.id} was leased before its time`)
    if (lease.attempt !== kept.attempts + 1) reject(`${kept.id} was leased for the wrong attempt`)
    const overtaking = inLane(kept.lane, 'handled').filter(
      (other) => other.isHandledByOwn && other.id !== kept.twinId && other.arrival >= kept.arrival,
    )
    const isOvertaken = overtaking.some(({ arrival }) => arrival > kept.arrival)
    if (isOvertaken ? !lease.isSuperseded : lease.isSuperseded && overtaking.length === 0)
      reject(`the lease of ${kept.id} says wrongly whether a newer one of its lane was handled`)
    if (lease.handledTwin !== handledTwin) reject(`the lease of ${kept.id} has to name ${handledTwin} as handled`)
    const endsAt = isShared ? now + leaseMs : Number.POSITIVE_INFINITY
    const held = { kept, lease, worker, process: processes[worker] ?? 0, endsAt, isOver: false }
    leases.push(held)
    Object.assign(kept, { state: 'running', attempts: lease.attempt, held })
  }

  function end(kept: Kept, outcome: Attempt['outcome'], state: EntryState, wait = startWait(0)): void {
    kept.history.push({ replay: kept.replays, number: kept.attempts, outcome })
    Object.assign(kept, { state, wait, held: undefined })
  }

  function lose(kept: Kept): void {
    kept.losses += 1
    end(kept, 'lost', 'pending', startWait(0, longestWait(kept.losses)))
  }

  /** A store that starts goes by the machine's clock: what began to wait later than that may do so anew, also if its wait was over. */
  function startStore(isProcessLost: boolean): void {
    const before = now
    const overBefore = new Set(all().filter(mayRun))
    now = wall
    forwards.start(before, isProcessLost)
    for (const kept of all()) {
      if (kept.state !== 'pending') continue
      const leastMs = overBefore.has(kept) ? -Infinity : kept.wait.leastMs
      kept.wait = { ...kept.wait, since: Math.min(kept.wait.since, now), leastMs }
    }
  }

  function expectNames(which: (kept: Kept) => boolean, ids: readonly string[], answer: readonly string[]): Kept[] {
    const right = all().filter((kept) => ids.includes(kept.id) && which(kept))
    const names = right.map(({ id }) => id).toSorted()
    if (names.join() !== answer.toSorted().join()) reject(`it has to name ${names.join(', ') || 'nothing'}`)
    return right
  }

  return {
    isShared,
    entries,
    forwards,
    /** Leases that their workers may still settle. */
    open: () => leases.filter((held) => isAlive(held) && !held.isOver),
    /** Leases that ran out, and that a claim may free. */
    overdue,
    /** Those of living workers that are over, of entries that run once more. */
    over: () => leases.filter((held) => isAlive(held) && held.isOver && held.kept.held !== undefined),

    /** Time goes by, or someone sets the machine's clock. */
    step(ms: number, isSet: boolean): void {
      wall += ms
      wasSetBack ||= ms < 0
      now = isShared ? wall : Math.max(wall, isSet ? now : now + ms * CATCHING_UP)
    },

    /** What is added from now on is newer than what is here. */
    beginAdding(): void {
      arrivals += 1
    },

    add(
      facts: Pick<Kept, 'id' | 'lane' | 'twinId'> & { readonly state: 'pending' | 'parked' },
      targets: readonly TargetName[],
      answer: 'added' | 'duplicate' | Lease,
      worker: Worker,
    ): void {
      const { id, lane, twinId } = facts
      if (entries.has(id) !== (answer === 'duplicate')) reject(`${id} was added, or not, against what is there`)
      if (answer === 'duplicate') return
      const waiting = inLane(lane, 'pending').find(mustRun)
      const counts = { attempts: 0, replays: 0, losses: 0, history: [] }
      const known = { hasBody: true, wasHandled: false, isHandledByOwn: false, isAskedFor: false, held: undefined }
      const kept: Kept = { ...facts, ...counts, ...known, arrival: arrivals, receivedAt: now, wait: startWait(0) }
      entries.set(id, kept)
      for (const target of targets) forwards.add({ id, target, lane, arrival: arrivals })
      if (answer === 'added') return
      if (waiting !== undefined) reject(`${id} was handed over while ${waiting.id} of its lane waited`)
      if (entries.has(twinId)) reject(`${id} was handed over though its twin is here`)
      give(kept, answer, worker)
    },

    /** Frees what other processes leased for too short a time, or died with. One by itself then finds what is due, if anything. */
    claim(claims: readonly { readonly worker: Worker; readonly given: readonly Lease[] }[], limit: number): void {
      const isOthers = (held: Held) => claims.some(({ worker }) => worker !== held.worker || !isAlive(held))
      for (const held of overdue()) if (isOthers(held)) lose(held.kept)
      // What was due stays so when its lane kept it, though the clock is set back.
      for (const kept of all()) if (mayRun(kept)) kept.wait = { ...kept.wait, leastMs: Number.NEGATIVE_INFINITY }
      const due = all().find(
        (kept) => kept.state === 'pending' && mustRun(kept) && inLane(kept.lane, 'running').length === 0,
      )
      if (due !== undefined && claims.length === 1 && claims[0]?.given.length === 0)
        reject(`nothing was leased, though ${due.id} was due`)
      for (const { worker, given } of claims) {
        if (given.length > limit) reject(`${given.length} were leased, and ${limit} asked for`)
        for (const lease of given) {
          const { eventId } = lease.entry
          give(entries.get(eventId) ?? reject(`${eventId} was leased, and is not there`), lease, worker)
        }
      }
    },

    release(held: Held): void {
      leases.splice(leases.indexOf(held), 1)
      if (held.kept.held !== held) return
      const { attempts, wait } = held.kept
      Object.assign(held.kept, { state: 'pending', attempts: attempts - 1, wait: endWait(wait), held: undefined })
    },

    settle(held: Held, outcome: Outcome, isSettled: boolean): void {
      const { kept } = held
      held.isOver = true
      if (!isSettled && kept.held === held) reject(`the lease of ${kept.id} was lost though nobody else had it`)
      if (isSettled && kept.held !== held) reject(`${kept.id} was settled by a lease that was over`)
      if (!isSettled) return
      kept.isHandledByOwn = outcome.state === 'handled' && outcome.reason === undefined
      kept.wasHandled ||= kept.isHandledByOwn
      if (outcome.state === 'pending') end(kept, 'retried', 'pending', startWait(outcome.retryInMs))
      else end(kept, outcome.state, outcome.state)
    },

    replay(ids: readonly string[], answer: readonly string[]): void {
      for (const kept of expectNames(({ hasBody, state }) => hasBody && state !== 'running', ids, answer)) {
        const isAskedFor = kept.state === 'handled'
        const anew = {
          state: 'pending',
          attempts: 0,
          losses: 0,
          replays: kept.replays + 1,
          isAskedFor,
          wait: startWait(0),
        }
        Object.assign(kept, kept.state === 'pending' ? { wait: endWait(kept.wait) } : anew)
      }
    },

    park(ids: readonly string[], answer: readonly string[]): void {
      for (const kept of expectNames(({ state }) => ['pending', 'running'].includes(state), ids, answer)) {
        if (kept.state === 'running') end(kept, 'lost', 'parked')
        else Object.assign(kept, { state: 'parked', wait: startWait(0) })
      }
    },

    drop(ids: readonly string[], answer: readonly string[]): void {
      for (const kept of expectNames(({ state }) => ['dead', 'parked', 'unhandled'].includes(state), ids, answer))
        Object.assign(kept, { state: 'handled', isHandledByOwn: false, wait: startWait(0) })
    },

    /** `left` is what is there after all its steps. A clock that was set back makes ages as wrong as it was. */
    prune(policy: PrunePolicy, left: ReadonlyMap<string, { readonly hasBody: boolean }>): void {
      const present = Math.min(wall, all().at(-1)?.receivedAt ?? 0)
      const isOld = ({ id, state, wait }: Kept, afterMs: number) =>
        (state === 'handled' || state === 'unhandled') && forwards.isDone(id) && wait.since < present - afterMs
      for (const kept of all()) {
        const found = left.get(kept.id)
        const isToGo = isOld(kept, policy.entriesAfterMs)
        const isToBeEmptied = isOld(kept, policy.bodiesAfterMs)
        if (found === undefined ? !isToGo : isToGo && !wasSetBack) reject(`${kept.id} was dropped, or kept`)
        if (found === undefined) {
          entries.delete(kept.id)
          forwards.forget(kept.id)
        } else if (found.hasBody ? isToBeEmptied && !wasSetBack : kept.hasBody && !isToBeEmptied)
          reject(`the body of ${kept.id} was dropped, or kept`)
        else kept.hasBody = found.hasBody
      }
    },

    /** What that worker's process ran is nobody's now: where no other process can have it, it is lost at once. */
    loseProcess(worker: number): void {
      lastProcess += 1
      for (const each of isShared ? [worker] : processes.keys()) processes[each] = lastProcess
      if (isShared) return
      startStore(true)
      for (const kept of all()) if (kept.state === 'running') lose(kept)
    },

    /** Of a store that one server owns: its threads start anew, and what the process works on stays its own. */
    loseThreads: () => startStore(false),
  }
}
