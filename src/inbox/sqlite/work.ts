import { attemptOutcomes, type Lease, type NewEntry, type Outcome } from '../../event.ts'
import type { PrunePolicy } from '../inbox.ts'
import { LOST_REASON, type Row, reasonOf } from '../rows.ts'
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

/** Adds the entry and its body, unless the event id is there; leased to the owner when `leaseMs` is given and nothing keeps it waiting. */
export function insert(
  sql: Statements,
  owner: string,
  { values, body, leaseMs }: { values: EntryValues; body: Uint8Array; leaseMs: number | undefined },
): AddedRow | undefined {
  const receivedAt = Date.now()
  const leased = leaseMs === undefined ? undefined : sql.insertLeased.run(...values, receivedAt, owner, leaseMs)
  const isLeased = leased?.changes === 1
  const inserted = isLeased ? leased : sql.insertEntry.run(...values, receivedAt)
  if (inserted.changes === 0) return undefined
  sql.insertPayload.run(inserted.lastInsertRowid, body)
  return [Number(inserted.lastInsertRowid), receivedAt, isLeased]
}

/** Leases what is due; `heldBack` counts the due entries that now wait for their lane. Writes nothing when nothing is due. */
export function claimDue(
  sql: Statements,
  { owner, limit, leaseMs }: { owner: string; limit: number; leaseMs: number },
): { rows: Row[]; heldBack: number } {
  const now = Date.now()
  if (sql.isAnyLeaseOver.get({ now }) !== undefined) freeLeases(sql, { until: now, owner, held: [] })
  if (sql.isAnyDue.get({ now }) === undefined) return { rows: [], heldBack: 0 }
  const rows = sql.claim.all({ owner, now, lease_ms: leaseMs, limit })
  if (rows.length === limit) return { rows, heldBack: 0 }
  return { rows, heldBack: Number(sql.holdBack.run({ now, limit: MAX_HELD_BACK }).changes) }
}

/** Cheap look, outside any transaction, so that an idle worker writes nothing. */
export function isAnythingToClaim(sql: Statements): boolean {
  const now = Date.now()
  return sql.isAnyDue.get({ now }) !== undefined || sql.isAnyLeaseOver.get({ now }) !== undefined
}

/** Names a lease of an owner, over all of its attempts. */
export function nameLease({ token, attempt }: Pick<Lease, 'token' | 'attempt'>): string {
  return `${token}:${attempt}`
}

/** Makes entries whose lease ended by `until` due again, but those that the owner still holds, and records the lost attempts. */
export function freeLeases(
  sql: Statements,
  { until, owner, held }: { until: number; owner: string; held: readonly string[] },
): void {
  const lost = { now: Date.now(), until, owner, held: JSON.stringify(held), reason: LOST_REASON }
  sql.recordLostAttempts.run(lost)
  sql.freeLostLeases.run(lost)
}

/** How an attempt ended, as plain values: a nested object costs as much again between threads. */
export type Settlement = readonly [
  seq: number,
  attempt: number,
  lane: string,
  state: Outcome['state'],
  retryInMs: number,
  reason: string | null,
]

export function toSettlement({ token, attempt, entry }: Lease, outcome: Outcome): Settlement {
  const retryInMs = outcome.state === 'pending' ? outcome.retryInMs : 0
  return [Number(token), attempt, entry.lane, outcome.state, retryInMs, reasonOf(outcome)]
}

/** Records how an attempt ended, and lets the next of its lane take its turn; false when the lease was lost. */
export function settle(
  sql: Statements,
  owner: string,
  [seq, attempt, lane, state, retryInMs, reason]: Settlement,
): boolean {
  const now = Date.now()
  const recorded = sql.recordAttempt.run(seq, owner, attempt, now, attemptOutcomes[state], reason)
  if (recorded.changes === 0) return false
  sql.settle.run(seq, state, now + retryInMs, state === 'pending' ? null : now, reason)
  sql.promoteLane.run(lane, now)
  return true
}

/** One step of retention, as the interface says. */
export function prune(
  sql: Statements,
  { bodiesAfterMs, entriesAfterMs, limit }: PrunePolicy,
): { bodies: number; entries: number } {
  const drop = (statement: 'dropBodies' | 'dropEntries', afterMs: number): number => {
    const until = Date.now() - afterMs
    return Number(sql[statement].run({ before: sql.findSeq(until), until, limit }).changes)
  }
  return { bodies: drop('dropBodies', bodiesAfterMs), entries: drop('dropEntries', entriesAfterMs) }
}
