import type { ForwardAttempt, ForwardLease, ForwardOutcome, ForwardState } from '../../../src/inbox/forwards.ts'
import { forwardOutcomes } from '../../../src/inbox/forwards.ts'
import type { Worker } from './store.ts'

/** One that keeps the order of lanes, and one that does not. */
export const TARGETS = ['shop', 'books'] as const
export type TargetName = (typeof TARGETS)[number]

/** A forward as it has to be. */
export interface KeptForward {
  readonly id: string
  readonly target: TargetName
  readonly lane: string
  /** As that of its entry. */
  readonly arrival: number
  state: ForwardState
  attempts: number
  replays: number
  readonly history: Pick<ForwardAttempt, 'replay' | 'number' | 'outcome'>[]
  /** By the store's clock: when it may run, and when it has to, unless its lane keeps it. */
  mayAt: number
  mustAt: number
  held: HeldForward | undefined
}

export interface HeldForward {
  readonly kept: KeptForward
  readonly lease: ForwardLease
  readonly worker: Worker
  readonly process: number
  readonly endsAt: number
  isOver: boolean
}

/** What the reference of entries knows of the store. */
export interface World {
  readonly isShared: boolean
  readonly leaseMs: number
  readonly roughlyMs: number
  now(): number
  processOf(worker: Worker): number
  hasBody(id: string): boolean
  reject(why: string): never
}

export type ForwardReference = ReturnType<typeof createForwardReference>

/** What the inbox promises of forwards, as `createReference` has it of entries. */
export function createForwardReference({ isShared, leaseMs, roughlyMs, now, processOf, hasBody, reject }: World) {
  const forwards: KeptForward[] = []
  const leases: HeldForward[] = []

  const isAlive = (held: HeldForward) => processOf(held.worker) === held.process
  const tell = ({ id, target }: KeptForward) => `the forward of ${id} to ${target}`
  const beside = (kept: KeptForward) =>
    forwards.filter((other) => other !== kept && other.target === kept.target && other.lane === kept.lane)
  /** Of those that came at once, either may be the earlier one. */
  const isKeptBack = (kept: KeptForward, isSure: boolean) =>
    kept.target === 'shop' &&
    beside(kept).some(({ state, arrival }) => {
      const isEarlier = isSure ? arrival < kept.arrival : arrival <= kept.arrival
      return state === 'running' || (state === 'pending' && isEarlier)
    })

  function waitFor(kept: KeptForward, ms: number): void {
    Object.assign(kept, {
      mayAt: now() + (ms === 0 ? 0 : ms - roughlyMs),
      mustAt: now() + (ms === 0 ? 0 : ms + roughlyMs),
    })
  }

  function end(kept: KeptForward, outcome: ForwardAttempt['outcome'], state: ForwardState, waitMs = 0): void {
    kept.history.push({ replay: kept.replays, number: kept.attempts, outcome })
    Object.assign(kept, { state, held: undefined })
    waitFor(kept, waitMs)
    letGo(kept)
  }

  /** Whichever takes its turn now is due from now on, and a clock may be set back. */
  function letGo(kept: KeptForward): void {
    for (const other of beside(kept)) other.mustAt = Math.max(other.mustAt, now())
  }

  function give(lease: ForwardLease, worker: Worker): void {
    const kept =
      forwards.find(({ id, target }) => id === lease.entry.eventId && target === lease.target) ??
      reject(`a forward of ${lease.entry.eventId} was leased that is not there`)
    if (kept.state !== 'pending') reject(`${tell(kept)} was leased while it was ${kept.state}`)
    if (kept.mayAt > now()) reject(`${tell(kept)} was leased before its time`)
    if (isKeptBack(kept, true)) reject(`${tell(kept)} was leased before its turn`)
    if (lease.attempt !== kept.attempts + 1) reject(`${tell(kept)} was leased for the wrong attempt`)
    const endsAt = isShared ? now() + leaseMs : Number.POSITIVE_INFINITY
    const held = { kept, lease, worker, process: processOf(worker), endsAt, isOver: false }
    leases.push(held)
    Object.assign(kept, { state: 'running', attempts: lease.attempt, held })
  }

  return {
    all: (): readonly KeptForward[] => forwards,
    open: () => leases.filter((held) => isAlive(held) && !held.isOver),
    over: () => leases.filter((held) => isAlive(held) && held.isOver && held.kept.held !== undefined),
    isDone: (id: string) =>
      forwards.every((kept) => kept.id !== id || kept.state === 'delivered' || kept.state === 'dropped'),

    add(facts: Pick<KeptForward, 'id' | 'target' | 'lane' | 'arrival'>): void {
      const counts = { attempts: 0, replays: 0, history: [], held: undefined }
      forwards.push({ ...facts, ...counts, state: 'pending', mayAt: now(), mustAt: now() })
    },

    /** Frees what others leased for too short a time, or died with; then finds what is due, if anything. */
    claim(worker: Worker, target: TargetName, limit: number, given: readonly ForwardLease[]): void {
      for (const kept of forwards) {
        const { held } = kept
        if (held !== undefined && held.endsAt <= now() && (held.worker !== worker || !isAlive(held)))
          end(kept, 'lost', 'pending')
      }
      // What was due stays so when its lane kept it, though the clock is set back.
      for (const kept of forwards) if (kept.mayAt <= now()) kept.mayAt = Number.NEGATIVE_INFINITY
      const isDue = (kept: KeptForward) => kept.state === 'pending' && kept.mustAt <= now() && !isKeptBack(kept, false)
      const due = forwards.find((kept) => kept.target === target && isDue(kept))
      if (due !== undefined && given.length === 0) reject(`nothing was leased, though ${tell(due)} was due`)
      if (given.length > limit) reject(`${given.length} forwards were leased, and ${limit} asked for`)
      for (const lease of given) give(lease, worker)
    },

    settle(held: HeldForward, outcome: ForwardOutcome, isSettled: boolean): void {
      const { kept } = held
      held.isOver = true
      if (!isSettled && kept.held === held) reject(`the lease of ${tell(kept)} was lost though nobody else had it`)
      if (isSettled && kept.held !== held) reject(`${tell(kept)} was settled by a lease that was over`)
      if (isSettled)
        end(kept, forwardOutcomes[outcome.state], outcome.state, outcome.state === 'pending' ? outcome.retryInMs : 0)
    },

    replay(target: TargetName, ids: readonly string[], answer: readonly string[]): void {
      const right = forwards.filter(
        (kept) => kept.target === target && ids.includes(kept.id) && kept.state !== 'running' && hasBody(kept.id),
      )
      const names = right.map(({ id }) => id).toSorted()
      if (names.join() !== answer.toSorted().join()) reject(`it has to name ${names.join(', ') || 'nothing'}`)
      for (const kept of right) {
        const { mayAt, mustAt } = kept
        if (kept.state !== 'pending') Object.assign(kept, { state: 'pending', attempts: 0, replays: kept.replays + 1 })
        Object.assign(kept, { mayAt: Math.min(mayAt, now()), mustAt: Math.min(mustAt, now()) })
      }
    },

    /** All of the target: what waits for a retry for sure has to be among them. */
    hasten(target: TargetName, answer: number): void {
      const waiting = forwards.filter((kept) => kept.target === target && kept.state === 'pending')
      const sure = waiting.filter(({ mayAt }) => mayAt > now())
      if (answer < sure.length || answer > waiting.length)
        reject(`it has to hasten ${sure.length} to ${waiting.length}, and did ${answer}`)
      for (const kept of waiting)
        Object.assign(kept, { mayAt: Math.min(kept.mayAt, now()), mustAt: Math.min(kept.mustAt, now()) })
    },

    drop(target: TargetName, ids: readonly string[], states: readonly ForwardState[], answer: readonly string[]): void {
      const right = forwards.filter(
        (kept) =>
          kept.target === target &&
          ids.includes(kept.id) &&
          states.includes(kept.state) &&
          (kept.state === 'pending' || kept.state === 'dead'),
      )
      const names = right.map(({ id }) => id).toSorted()
      if (names.join() !== answer.toSorted().join()) reject(`it has to name ${names.join(', ') || 'nothing'}`)
      for (const kept of right) {
        Object.assign(kept, { state: 'dropped' })
        letGo(kept)
      }
    },

    forget(id: string): void {
      for (const kept of forwards.filter((each) => each.id === id)) forwards.splice(forwards.indexOf(kept), 1)
    },

    /** Of a store that one server owns, which starts at another time by the machine's clock: until when did it wait for its lane? */
    start(before: number, isLost: boolean): void {
      for (const kept of forwards) {
        if (kept.state === 'running' && isLost) end(kept, 'lost', 'pending')
        else if (kept.state === 'pending') {
          if (kept.mayAt <= before) kept.mayAt = Math.min(kept.mayAt, now())
          kept.mustAt = Math.max(kept.mustAt, before)
        }
      }
    },
  }
}
