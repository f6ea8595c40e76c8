import type { Attempt, EntryState, Lease } from '../../../src/event.ts'

/** An entry as it has to be. */
export interface Kept {
  readonly id: string
  readonly lane: string
  readonly twinId: string
  state: EntryState
  hasBody: boolean
  attempts: number
  replays: number
  /** Of the attempts since it was received, or replayed after it had settled. */
  losses: number
  readonly history: Pick<Attempt, 'replay' | 'number' | 'outcome'>[]
  /** By a handler of its own, at whatever time. */
  wasHandled: boolean
  /** It runs though its twin was handled; either will do once what was asked for has died. */
  isAskedFor: boolean | 'perhaps'
  wait: Wait
  /** While it runs. */
  held?: Held | undefined
}

export interface Wait {
  /** When it was stored, settled, freed or replayed. */
  readonly since: Clock
  readonly ms: number
  /** The store chose how long, and it is known to a few seconds only. */
  readonly isRough: boolean
  /** A replay began it, while it was behind a lost one. */
  readonly isReplay: boolean
  /** The clock was set back to before it began: how much of it is over can't be told. */
  isExcused: boolean
}

export interface Clock {
  /** What the store's clock shows. */
  wall: number
  /** How much time has passed, whatever that clock was set to. */
  elapsed: number
}

/** A lease that was given. */
export interface Held {
  readonly kept: Kept
  readonly lease: Lease
  readonly worker: 0 | 1
  readonly process: number
  readonly endsAt: number
  /** How it ended, as far as its worker knows. */
  end?: 'released' | 'settled'
}
