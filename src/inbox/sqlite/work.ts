import { attemptOutcomes, type EntryState, type Lease, type NewEntry, type Outcome } from '../../event.ts'
import type { Pruned, PrunePolicy } from '../inbox.ts'
import { LOST_REASON, type Row, reasonOf } from '../rows.ts'
import { type ForwardValues, freeLostForwards, insertForwards } from './forward-work.ts'
import type { Statements } from './statements.ts'

const MAX_HELD_BACK = 256

/** An entry's facts in the order of the insert's parameters; its body goes apart. */
export type EntryValues = (string | number | null)[]

/** The entry's facts as the insert takes them. */
export function toEntryValues(entry: NewEntry): EntryValues {
  return [
    entry.eventId,
    entry.type,
    entry.shape,
    entry.account,
    entry.objectId,
    entry.lane,
    entry.snapshotEventId,
    entry.livemode === null ? null : Number(entry.livemode),
    entry.apiVersion,
    entry.createdAt?.getTime() ?? null,
    entry.route,
    entry.source,
    entry.secret,
    entry.state,
    entry.reason,
  ]
}

/** What became of an added entry: its number, when it came, and whether it was leased. Undefined for a duplicate. */
export type AddedRow = readonly [seq: number, receivedAt: number, isLeased: boolean]

/** Who writes, and when: one instant for a whole batch. */
export interface Writing {
  readonly sql: Statements
  readonly owner: string
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Whether nothing is to be leased; asked within the transaction. */
  readonly isHeld: () => boolean
}

/** What an entry is added from. */
export interface Insertion {
  readonly values: EntryValues
  readonly body: Uint8Array
  readonly searchable: readonly string[]
  readonly forwards: readonly ForwardValues[] | undefined
  readonly isToLease: boolean
}

/**
 * Adds the entry, its body, what it is found by and where it goes, unless the event id is there; leased to the owner when that is
 * wanted and nothing keeps it waiting.
 */
export function insert(
  { sql, owner, now, isHeld }: Writing,
  { values, body, searchable, forwards, isToLease }: Insertion,
): AddedRow | undefined {
  const leased = isToLease && !isHeld() ? sql.insertLeased.run(...values, now, owner) : undefined
  const isLeased = leased?.changes === 1
  const inserted = isLeased ? leased : sql.insertEntry.run(...values, now)
  if (inserted.changes === 0) return undefined
  sql.insertPayload.run(inserted.lastInsertRowid, body)
  for (const value of searchable) sql.insertValue.run(value, inserted.lastInsertRowid)
  if (forwards !== undefined) insertForwards({ sql: sql.forwards, now }, inserted.lastInsertRowid, forwards)
  return [Number(inserted.lastInsertRowid), now, isLeased]
}

/** Leases what is due; `heldBack` counts the due entries that now wait for their lane. Writes nothing when nothing is due. */
export function claimDue({ sql, owner, now, isHeld }: Writing, limit: number): { rows: Row[]; heldBack: number } {
  if (isHeld() || sql.isAnyDue.get({ now }) === undefined) return { rows: [], heldBack: 0 }
  const rows = sql.claim.all({ owner, now, limit })
  if (rows.length === limit) return { rows, heldBack: 0 }
  return { rows, heldBack: Number(sql.holdBack.run({ now, limit: MAX_HELD_BACK }).changes) }
}

/** Cheap look, outside any transaction, so that an idle worker writes nothing. */
export function isAnythingToClaim(sql: Statements, now: number): boolean {
  return sql.isAnyDue.get({ now }) !== undefined
}

/**
 * Makes what runs due again, but what the owner still holds (names of leases), records the lost attempts, and lets the lanes go on.
 * For the start, when no other process can be running anything.
 */
export function freeLostLeases({ sql, owner, now }: Omit<Writing, 'isHeld'>, held: readonly string[]): void {
  sql.bringToPresent.run(now)
  sql.bringAttemptsToPresent.run(now)
  const lost = { now, owner, held: JSON.stringify(held), reason: LOST_REASON }
  sql.recordLostAttempts.run(lost)
  sql.freeLostLeases.run(lost)
  sql.letGo.run({ now, event_id: null })
  freeLostForwards({ sql: sql.forwards, owner, now }, held)
}

/** Makes the entry due now; false when it is running, unknown, without its body or in none of the states. */
export function replay({ sql, now }: Writing, eventId: string, states: readonly EntryState[]): boolean {
  const isReplayed = sql.replay.run({ event_id: eventId, states: JSON.stringify(states), now }).changes === 1
  if (isReplayed) sql.letGo.run({ now, event_id: eventId })
  return isReplayed
}

/** Sets the entry aside, also while it runs; false when it is neither waiting nor running. The next of its lane takes its turn. */
export function park({ sql, now }: Writing, eventId: string, reason: string): boolean {
  const parked = { event_id: eventId, reason, now }
  sql.recordParked.run(parked)
  const row = sql.park.get(parked)
  if (row === undefined) return false
  sql.promoteNext.run(row.seq ?? null, now)
  return true
}

/** How an attempt ended, as plain values: a nested object costs as much again between threads. */
export type Settlement = readonly [
  seq: number,
  replays: number,
  attempt: number,
  state: Outcome['state'],
  retryInMs: number,
  reason: string | null,
]

export function toSettlement(lease: Lease, outcome: Outcome): Settlement {
  const retryInMs = outcome.state === 'pending' ? outcome.retryInMs : 0
  return [...toMark(lease), outcome.state, retryInMs, reasonOf(outcome)]
}

/** What tells a lease from every other: the entry, its replays, the attempt. */
export type LeaseMark = readonly [seq: number, replays: number, attempt: number]

export function toMark({ token, attempt }: Pick<Lease, 'token' | 'attempt'>): LeaseMark {
  const [seq, replays] = token.split(':').map(Number)
  return [seq ?? Number.NaN, replays ?? Number.NaN, attempt]
}

/** Records how an attempt ended, and lets the next of its lane take its turn; false when the lease was lost. */
export function settle(
  { sql, owner, now }: Writing,
  [seq, replays, attempt, state, retryInMs, reason]: Settlement,
): boolean {
  const recorded = sql.recordAttempt.run(seq, owner, replays, attempt, now, attemptOutcomes[state], reason)
  if (recorded.changes === 0) return false
  sql.settle.run(seq, state, now + retryInMs, state === 'pending' ? null : now, reason)
  sql.promoteNext.run(seq, now)
  return true
}

/** One step of retention, as the interface says. */
export function prune(
  { sql }: Pick<Writing, 'sql'>,
  { bodiesAfterMs, entriesAfterMs, limit, after = '0:0' }: PrunePolicy,
): Pruned {
  // By the wall clock: the store's own stays ahead of one that was set back.
  const now = Math.min(Date.now(), Number(sql.findNewestArrival.get()?.received_at ?? 0))
  const [bodiesAfter, entriesAfter] = after.split(':').map(Number)

  function step(what: 'Bodies' | 'Entries', afterMs: number, from = 0) {
    const until = now - afterMs
    const range = { after: from, before: sql.findSeq(until), skip: limit - 1 }
    const last = (what === 'Bodies' ? sql.findLastBody : sql.findLastEntry).get(range)?.seq
    const end = Number(last ?? Math.max(from, range.before - 1))
    const dropping = { after: from, last: end, until }
    if (what === 'Entries') sql.forgetAccounts.run(dropping)
    const dropped = Number(sql[`drop${what}`].run(dropping).changes)
    return { dropped, end, isLast: last === undefined }
  }

  sql.dropActions.run(now - entriesAfterMs)
  const bodies = step('Bodies', bodiesAfterMs, bodiesAfter)
  const entries = step('Entries', entriesAfterMs, entriesAfter)
  const next = bodies.isLast && entries.isLast ? null : `${bodies.end}:${entries.end}`
  return { bodies: bodies.dropped, entries: entries.dropped, next }
}
