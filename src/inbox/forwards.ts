import type { EntryFacts, NewForward } from '../event.ts'

/** Of an entry without a handler that goes to a target. */
export const FORWARDED_REASON = 'forwarded: its type has no handler'

/** Those in which something is left to do: they keep their entry with its body. */
export const openStates = ['pending', 'running', 'dead', 'held'] as const
/** Those in which nothing is. */
export const doneStates = ['delivered', 'dropped'] as const
export type ForwardState = (typeof openStates)[number] | (typeof doneStates)[number]
export const forwardStates: readonly ForwardState[] = [...openStates, ...doneStates]

/** Entries' ways to targets. Each is stored with its entry, in one transaction, and stays until that goes. As `Inbox` otherwise. */
export interface Forwards {
  /**
   * Leases due forwards for `leaseMs`, of each target up to its `limit` (1 or more), oldest due first, and counts an attempt on each.
   * Those whose lease ran out are due again. Of those that keep their lane's order none whose lane and target has a running one, or an
   * earlier one by arrival that is pending.
   */
  claim(request: { readonly wanted: readonly Wanted[]; readonly leaseMs: number }): Promise<ForwardLease[]>

  /** Records how an attempt ended. False, and nothing changed, when the lease was lost in the meantime. */
  settle(lease: ForwardLease, outcome: ForwardOutcome): Promise<boolean>

  /**
   * Adds forwards of entries that are here with their bodies, due now; an unhandled entry is handled from then on. Those that are there
   * already are left alone, and the ids of the others given. At most a few hundred a call.
   */
  add(forwards: readonly LateForward[]): Promise<string[]>

  /**
   * Makes forwards to the target due now, in one of `states`: those that were settled or held start over from attempt 1, waiting ones
   * lose their delay. Others are left alone, and not among those given. At most a few hundred a call.
   */
  replay(target: string, eventIds: readonly string[], states: readonly ForwardState[]): Promise<string[]>

  /**
   * Makes forwards to the target due now that wait for a retry, the soonest first; gives how many. Those that wait for their lane are due at
   * their turn. At most a thousand or so a call.
   */
  hasten(target: string, limit: number): Promise<number>

  /**
   * Settles forwards to the target that are pending, dead or held and in one of `states` as dropped, for that reason; gives the ids of
   * those. They can be replayed for as long as their entry is there. At most a few hundred a call.
   */
  drop(target: string, eventIds: readonly string[], states: readonly ForwardState[], reason: string): Promise<string[]>

  /** Newest entries first; `before` an event id. */
  list(filter: ForwardFilter, page: { readonly limit: number; readonly before?: string }): Promise<Forward[]>

  /** Of each target that has any, forwards by state but those that are done: 100,000 of a state at most, so that a look costs little. */
  counts(): Promise<ForwardCount[]>

  /**
   * What the failures of a target have in common: those that are dead, held, or tried again. The newest 10,000 by when they are due,
   * 100 groups at most, largest first.
   */
  causes(target: string): Promise<ForwardCause[]>

  /** How the last attempts of a target ended, newest first: any that failed, and those that delivered one of the newest 10,000 entries. */
  lastAttempts(target: string, limit: number): Promise<TargetAttempt[]>

  /** What is known of targets, of those alone that something is known of. */
  states(): Promise<KnownState[]>

  /** Keeps what is known of a target, if it still has that version (0: nothing is known yet); false otherwise. */
  writeState(target: string, state: TargetState, version: number): Promise<boolean>
}

/** How many forwards and entries, newest first, are looked at for what a target did lately. */
export const LOOKED_AT = 10_000
export const MAX_CAUSES = 100
export const MAX_COUNTED = 100_000

/** How much of a target's. */
export interface Wanted {
  readonly target: string
  readonly limit: number
}

/** The right of one process to send an entry to a target, until it settles or the lease runs out. */
export interface ForwardLease {
  readonly target: string
  readonly entry: Pick<EntryFacts, 'eventId' | 'type' | 'account' | 'receivedAt'>
  /** Null when it is gone. */
  readonly body: Uint8Array | null
  readonly hops: number
  /** Whose next one waits for it; null where the target keeps no order. */
  readonly lane: string | null
  /** Counts from 1 since it was stored or last replayed, this claim included. */
  readonly attempt: number
  /** Whether the last claim was lost: its process died, or its lease ran out. */
  readonly isLastLost: boolean
  /** The store's own mark of this lease; settling checks it. */
  readonly token: string
}

/** What came of an attempt: the status of the answer, null when none came, and how one that failed begins. */
interface Answered {
  readonly status: number | null
  readonly answer: string | null
}

/** How an attempt ended. */
export type ForwardOutcome =
  | ({ readonly state: 'delivered' } & Answered)
  | ({ readonly state: 'dead'; readonly error: string } & Answered)
  /** To be retried after the delay. */
  | ({ readonly state: 'pending'; readonly retryInMs: number; readonly error: string } & Answered)

export const forwardOutcomes = {
  delivered: 'delivered',
  pending: 'retried',
  dead: 'dead',
} as const satisfies Record<ForwardOutcome['state'], ForwardAttempt['outcome']>

/** A forward of an entry that is here already. */
export interface LateForward extends NewForward {
  readonly eventId: string
}

export interface ForwardFilter {
  readonly target: string
  readonly states?: readonly ForwardState[]
  /** With exactly this one. */
  readonly reason?: string
  /** Of entries that were received at most this long ago. */
  readonly receivedWithinMs?: number
}

export interface Forward {
  readonly eventId: string
  readonly type: string
  readonly target: string
  readonly state: ForwardState
  /** Claims since it was stored or last replayed. */
  readonly attempts: number
  readonly replays: number
  readonly dueAt: Date
  /** Null while it is pending or running. */
  readonly settledAt: Date | null
  /** Why it is retried, held, or given up. */
  readonly reason: string | null
}

/** One claim of a forward, as recorded. */
export interface ForwardAttempt {
  readonly number: number
  readonly replay: number
  readonly startedAt: Date
  readonly endedAt: Date
  /** `lost`: its process died, or its lease ran out. */
  readonly outcome: 'delivered' | 'retried' | 'dead' | 'lost'
  readonly status: number | null
  readonly error: string | null
  /** How an answer that is no success begins. */
  readonly answer: string | null
}

export interface ForwardDetail extends Forward {
  readonly history: readonly ForwardAttempt[]
}

export interface ForwardCount {
  readonly target: string
  readonly state: (typeof openStates)[number]
  readonly forwards: number
  /** Of pending ones, since when the event of the first has been here, retries and all; null of others. */
  readonly oldestMs: number | null
}

/** Forwards of one target that failed alike. */
export interface ForwardCause {
  readonly state: (typeof openStates)[number]
  readonly reason: string
  readonly forwards: number
  /** When the last of them was tried, or held. */
  readonly newestAt: Date
}

/** An attempt, with whose it was. */
export interface TargetAttempt extends ForwardAttempt {
  readonly eventId: string
  readonly type: string
}

/** How a target does. Instants are milliseconds since the epoch by the clock of the process that wrote them. */
export interface TargetState {
  /** Nothing is sent until a person resumes it. */
  readonly hold: { readonly who: string; readonly reason: string; readonly at: number } | null
  /** Attempts that failed since the last success, and when the first of them did. */
  readonly failures: number
  readonly failingSince: number | null
  /** The circuit is open: nothing is sent but one attempt at `probeAt`. */
  readonly open: { readonly since: number; readonly probeAt: number; readonly probes: number } | null
  /** It asked to be left alone until then. */
  readonly pausedUntil: number | null
}

export interface KnownState {
  readonly target: string
  readonly state: TargetState
  readonly version: number
}
