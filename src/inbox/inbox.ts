import type {
  Attempt,
  Decision,
  Entry,
  EntryFacts,
  EntryState,
  EventShape,
  Lease,
  NewEntry,
  Outcome,
} from '../event.ts'
import type { Log } from '../log.ts'
import type { Action, ActionFacts, ActionState } from './actions.ts'
import type { Figures } from './figures.ts'
import type { ForwardDetail, Forwards } from './forwards.ts'

/** Before an account's id: the name of the note by which it stays known when its entries are gone. */
export const ACCOUNT_NOTE = 'reconciled '
/** The same, of its thin events. */
export const THIN_ACCOUNT_NOTE = 'reconciled thin '
/** Name of the note by which nothing is leased. */
export const HOLD_NOTE = 'hold'
/** Before an account's id: the name of the note of the context through which it is acted for. */
export const CONTEXT_NOTE = 'context of '
/** Types of the events by which an account leaves, for SQL. */
export const DEAUTHORIZED = "('account.application.deauthorized', 'v1.account.application.deauthorized')"
/** By how much the clocks of Stripe and of a store may differ, in milliseconds: what is created later is received later but for this. */
export const CLOCKS_APART_MS = 3_600_000
/** How many entries a search looks at, when no index serves it. */
export const SEARCHED = 100_000

/**
 * Where entries live until they are settled. Durations cross this interface, never instants: each store goes by its own clock.
 * Every method rejects with ReceiverError `store_unavailable` when the store can't do its work now (disk full, locked, gone);
 * nothing was changed then, and it may be called again.
 */
export interface Inbox {
  /**
   * Resolves once the entry is durable, so that a 200 may go out. Safe to repeat: an event id that is already there
   * answers `duplicate` and changes nothing. With `lease`, a store may lease it to the caller in the same transaction, as if it had
   * been claimed at once: when nothing of its lane runs or waits, and its twin is not here.
   */
  add(entry: NewEntry, lease?: { readonly leaseMs: number }): Promise<'added' | 'duplicate' | Lease>

  /**
   * Keeps what was replied to a request, which is `handled` from then on, and gives the decision that stands: the first one. Null when
   * there is no such entry, and when it came as an ordinary event that waits or runs. Safe to repeat.
   */
  decide(eventId: string, decision: Decision): Promise<Decision | null>

  /**
   * Leases up to `limit` (1 or more) due entries, oldest due first, for `leaseMs`, and counts an attempt on each. Never two of one lane,
   * nor one whose lane has a running entry. Entries whose lease ran out are due again. Empty when nothing is due.
   */
  claim(request: { readonly limit: number; readonly leaseMs: number }): Promise<Lease[]>

  /** Gives back leases whose handlers were never started: due again as before, the attempt not counted. Lost leases are left alone. */
  release(leases: readonly Lease[]): Promise<void>

  /** Records how an attempt ended. False, and nothing changed, when the lease was lost in the meantime. */
  settle(lease: Lease, outcome: Outcome): Promise<boolean>

  /** One entry with its attempts, oldest first; undefined when the id is unknown. `body` is null once retention dropped it. */
  get(eventId: string): Promise<EntryDetail | undefined>

  /** Of these ids the ones that are here, in any order, each once. */
  lookUp(eventIds: readonly string[]): Promise<EntryPresence[]>

  /** Entries that match, newest first, as many as the page holds; however many have to be looked at. */
  list(filter: EntryFilter, page: Page): Promise<Entry[]>

  /** The same for somebody who waits: where no index serves the filter, of the newest 100,000 entries before the page's alone. */
  search(filter: EntryFilter, page: Page): Promise<Found>

  /** What matches, in groups, the largest first; looks at as many entries as `search` does. */
  summarize(filter: EntryFilter, page: Page): Promise<Summary>

  /** Entries of the same lane, this one among them, in order of arrival: the newest `limit`. Empty when the id is unknown. */
  lane(eventId: string, limit: number): Promise<Entry[]>

  /** Number of entries in each state. */
  counts(): Promise<Record<EntryState, number>>

  /** For how long the entry that waits for a worker for longest has been due, in milliseconds; null when none is due. */
  oldestPendingMs(): Promise<number | null>

  /** What is dead or parked, which stays until someone deals with it. */
  undealt(): Promise<Undealt>

  /**
   * Connected accounts (`acct_…`) with entries here, or with a note of those names, less those that left: that have a deauthorization
   * here, and no other entry that Stripe created in a later second. The notes go when retention drops the deauthorization.
   */
  accounts(): Promise<string[]>

  /** What was last noted under the name; null when nothing was. */
  readNote(name: string): Promise<string | null>

  writeNote(name: string, value: string): Promise<void>

  /** From now on no process leases anything, until `resume`; deliveries are stored. The last one who asked for it is known. */
  hold(hold: Pick<Hold, 'who' | 'reason'>): Promise<void>

  resume(): Promise<void>

  /** Null when nothing is held. */
  held(): Promise<Hold | null>

  /** Keeps what this process has counted since it last did, for eight days. */
  recordFigures(figures: Figures): Promise<void>

  /** What all processes counted in that time, oldest first. */
  figures(sinceMs: number): Promise<(Figures & { readonly at: Date })[]>

  /** Keeps what somebody does or did, and gives its number; later ones have higher numbers. */
  recordAction(state: ActionState, facts: ActionFacts): Promise<number>

  /** Of a running action what became of it so far, or how it ended; false when it does not run any more. */
  updateAction(id: number, state: ActionState, facts?: ActionFacts): Promise<boolean>

  /** Newest first. */
  actions(page: { readonly limit: number; readonly before?: number; readonly state?: ActionState }): Promise<Action[]>

  /** Takes or extends the turn of that name for `forMs`, 0 to give it back; false while another process has it. It ends by itself. */
  takeTurn(name: string, forMs: number): Promise<boolean>

  /**
   * Makes entries due now: settled ones start over from attempt 1, waiting ones lose their delay. What was handled runs again
   * whatever became of its twin; anything else does not, once its twin was handled. Ids that are running, unknown, without a body,
   * answered in their delivery or in none of `states`, all by default, are left alone and not among those returned. At most a few
   * hundred ids a call, so that others get their turn.
   */
  replay(eventIds: readonly string[], states?: readonly EntryState[]): Promise<string[]>

  /**
   * Sets waiting and running entries aside as parked, for that reason, and lets their lanes go on: what still runs has lost its lease.
   * Other ids are left alone and not among those returned. At most a few hundred a call.
   */
  park(eventIds: readonly string[], reason: string): Promise<string[]>

  /**
   * Settles dead, parked and unhandled entries as handled, for that reason: from then on retention takes them as it takes those.
   * Other ids are left alone and not among those returned. At most a few hundred a call.
   */
  drop(eventIds: readonly string[], reason: string): Promise<string[]>

  /**
   * One small step of retention, which looks at `limit` bodies and as many entries: drops bodies of handled and unhandled entries
   * that settled longer ago than `bodiesAfterMs`, and whole ones that were received and settled longer ago than `entriesAfterMs`.
   * Dead and parked ones stay: nobody has dealt with them; and what has a forward that is not delivered. Ages count from the newest
   * arrival, so that nothing is dropped because a clock runs ahead. Repeat with `next` as `after` until it is null.
   */
  prune(policy: PrunePolicy): Promise<Pruned>

  /**
   * Resolves when the store can take an entry now: after a failed write, only once a write has gone through again; never again
   * once it was found damaged, until it is opened anew.
   */
  check(): Promise<void>

  /** What goes on to targets. */
  readonly forwards: Forwards

  /** Finishes what was begun and lets go of the store. Safe to repeat. */
  close(): Promise<void>
}

export interface OpenOptions {
  /** Told of each transaction that shares operations. */
  readonly onCommit?: OnCommit
  /** For what no caller is told of. */
  readonly log?: Log
}

/** Told of a transaction: how many operations it held, and how long it took, sync included. */
export type OnCommit = (items: number, durationMs: number) => void

/** That handlers start no more. */
export interface Hold {
  readonly who: string
  readonly reason: string | null
  /** For how long already, in milliseconds. */
  readonly forMs: number
}

/** That an entry is here. */
export interface EntryPresence {
  readonly eventId: string
  readonly type: string
  readonly state: EntryState
  /** False once retention dropped it. */
  readonly hasBody: boolean
  /** It is a request that was answered in its delivery. */
  readonly isAnswered: boolean
}

export interface Undealt {
  readonly entries: number
  /** How long ago the first of them settled; null when there is none. */
  readonly oldestMs: number | null
}

/** Which of the entries that match. */
export interface Page {
  readonly limit: number
  /** Only those that came before this event id. */
  readonly before?: string
  /** Only this one and those that came after it. */
  readonly downTo?: string
}

export interface Found {
  readonly entries: readonly Entry[]
  /** The id before which an older page goes on looking; null when everything was looked at, or the page is full. */
  readonly olderThan: string | null
}

/** Entries that are alike. */
export interface Group {
  readonly state: EntryState
  readonly type: string
  /** Its first line, 200 characters of it at most. */
  readonly reason: string | null
  readonly entries: number
  /** When the first and the last of them were received. */
  readonly oldestAt: Date
  readonly newestAt: Date
}

export interface Summary {
  /** As many as the page holds. */
  readonly groups: readonly Group[]
  /** All that match and were looked at, in groups that the page does not hold too. */
  readonly entries: number
  /** The first and the last of them by arrival; null when there is none. */
  readonly oldest: string | null
  readonly newest: string | null
  /** As in `Found`. */
  readonly olderThan: string | null
}

export interface PrunePolicy {
  readonly bodiesAfterMs: number
  readonly entriesAfterMs: number
  readonly limit: number
  /** Goes on behind what the step before looked at; from the beginning without it. */
  readonly after?: string
}

/** What a step of retention dropped. */
export interface Pruned {
  readonly bodies: number
  readonly entries: number
  /** Where the next step goes on; null after the last one. */
  readonly next: string | null
}

export interface EntryDetail {
  readonly entry: Entry
  readonly attempts: readonly Attempt[]
  readonly body: Uint8Array | null
  /** Null unless it is a request, and what was replied to it was kept. */
  readonly decision: Decision | null
  /** By target. */
  readonly forwards: readonly ForwardDetail[]
}

/** What is left out matches everything. */
export interface EntryFilter {
  readonly states?: readonly EntryState[]
  /** Exact, or with `*` for any run of characters: `payment_intent.*`. */
  readonly type?: string
  readonly account?: string
  readonly objectId?: string
  readonly eventId?: string
  /** One of the values that it was made searchable by. */
  readonly value?: string
  readonly shape?: EventShape
  readonly source?: EntryFacts['source']
  /** A part of the reason, in upper or lower case. */
  readonly reason?: string
  /** Dead, or waiting for a retry after an attempt that failed. */
  readonly isFailing?: true
  /** No request that was answered in its delivery. */
  readonly isUnanswered?: true
  /** Received at most this long ago. */
  readonly receivedWithinMs?: number
  /** Received at least this long ago. */
  readonly receivedBeforeMs?: number
}
