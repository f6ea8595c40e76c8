import type { Attempt, Entry, EntryState, Lease, NewEntry, Outcome } from '../event.ts'

/**
 * Where entries live until they are settled. Durations cross this interface, never instants: each store goes by its own clock.
 * Every method rejects with ReceiverError `store_unavailable` when the store can't do its work now (disk full, locked, gone);
 * nothing was changed then, and it may be called again.
 */
export interface Inbox {
  /**
   * Resolves once the entry is durable, so that a 200 may go out. Safe to repeat: an event id that is already there
   * answers `duplicate` and changes nothing.
   */
  add(entry: NewEntry): Promise<'added' | 'duplicate'>

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

  /** Entries that match, newest first, `limit` at most; with `before`, only those that came before that event id. */
  list(filter: EntryFilter, page: { readonly limit: number; readonly before?: string }): Promise<Entry[]>

  /** Number of entries in each state. */
  counts(): Promise<Record<EntryState, number>>

  /** How long ago the oldest pending entry was received, in milliseconds; null when none is pending. */
  oldestPendingMs(): Promise<number | null>

  /** Connected accounts (`acct_…`) with entries here, less those whose newest authorization event is a deauthorization. */
  accounts(): Promise<string[]>

  /** What was last noted under the name; null when nothing was. */
  readNote(name: string): Promise<string | null>

  writeNote(name: string, value: string): Promise<void>

  /** Takes or extends the turn of that name for `forMs`, 0 to give it back; false while another process has it. It ends by itself. */
  takeTurn(name: string, forMs: number): Promise<boolean>

  /**
   * Makes entries due now: settled ones start over from attempt 1, waiting ones lose their delay. Ids that are running, unknown
   * or without a body are left alone and not among those returned. At most a few hundred ids a call, so that others get their turn.
   */
  replay(eventIds: readonly string[]): Promise<string[]>

  /**
   * One small step of retention: drops bodies of entries that settled longer ago than `bodiesAfterMs`, and whole entries that were
   * received and settled longer ago than `entriesAfterMs`, `limit` of each at most. Repeat until both are 0.
   */
  prune(policy: PrunePolicy): Promise<{ readonly bodies: number; readonly entries: number }>

  /**
   * Resolves when the store can take an entry now: after a failed write, only once a write has gone through again; never again
   * once it was found damaged, until it is opened anew.
   */
  check(): Promise<void>

  /** Finishes what was begun and lets go of the store. Safe to repeat. */
  close(): Promise<void>
}

export interface PrunePolicy {
  readonly bodiesAfterMs: number
  readonly entriesAfterMs: number
  readonly limit: number
}

export interface EntryDetail {
  readonly entry: Entry
  readonly attempts: readonly Attempt[]
  readonly body: Uint8Array | null
}

/** What is left out matches everything. */
export interface EntryFilter {
  readonly states?: readonly EntryState[]
  /** Exact, or with `*` for any run of characters: `payment_intent.*`. */
  readonly type?: string
  readonly account?: string
  /** Received at most this long ago. */
  readonly receivedWithinMs?: number
}
