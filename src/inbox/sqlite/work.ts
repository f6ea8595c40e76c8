import { attemptOutcomes, type Lease, type NewEntry, type Outcome } from '../../event.ts'
import { LOST_REASON, reasonOf } from '../reasons.ts'
import { toLease } from '../rows.ts'
import type { Statements } from './statements.ts'

const MAX_HELD_BACK = 256

/** Adds the entry and its body, unless the event id is there. */
export function insert(sql: Statements, entry: NewEntry): 'added' | 'duplicate' {
  const now = Date.now()
  const { changes, lastInsertRowid } = sql.insertEntry.run(
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
    now,
    entry.route,
    entry.source,
    entry.secret,
    entry.state,
    entry.state === 'pending' ? null : now,
    entry.reason,
  )
  if (changes === 0) return 'duplicate'
  sql.insertPayload.run(lastInsertRowid, entry.body)
  return 'added'
}

/** Cheap look, outside any transaction, so that an idle worker writes nothing. */
export function isAnythingToClaim(sql: Statements): boolean {
  const now = Date.now()
  return sql.isAnyDue.get({ now }) !== undefined || sql.isAnyLeaseOver.get({ now }) !== undefined
}

/** Leases what is due; `heldBack` counts the due entries that now wait for their lane. */
export function claimDue(
  sql: Statements,
  { owner, limit, leaseMs }: { owner: string; limit: number; leaseMs: number },
): { leases: Lease[]; heldBack: number } {
  const now = Date.now()
  if (sql.isAnyLeaseOver.get({ now }) !== undefined) freeLeases(sql, now)
  const leases = sql.claim.all({ owner, now, lease_ms: leaseMs, limit }).map(toLease)
  if (leases.length === limit) return { leases, heldBack: 0 }
  return { leases, heldBack: Number(sql.holdBack.run({ now, limit: MAX_HELD_BACK }).changes) }
}

/** Makes entries whose lease ended by `until` due again, and records the lost attempts. */
export function freeLeases(sql: Statements, until: number): void {
  const now = Date.now()
  sql.recordLostAttempts.run({ now, until, reason: LOST_REASON })
  sql.freeLostLeases.run({ now, until, reason: LOST_REASON })
}

/** Records how an attempt ended, and lets the next of its lane take its turn; false when the lease was lost. */
export function settle(sql: Statements, owner: string, lease: Lease, outcome: Outcome): boolean {
  const now = Date.now()
  const seq = Number(lease.token)
  const reason = reasonOf(outcome)
  const recorded = sql.recordAttempt.run(seq, owner, lease.attempt, now, attemptOutcomes[outcome.state], reason)
  if (recorded.changes === 0) return false
  const isRetried = outcome.state === 'pending'
  const dueAt = isRetried ? now + outcome.retryInMs : now
  sql.settle.run(seq, outcome.state, dueAt, isRetried ? null : now, reason)
  sql.promoteLane.run(lease.entry.lane, now)
  return true
}
