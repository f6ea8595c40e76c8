import type { Lease, NewEntry, Outcome } from '../event.ts'
import { toLease } from './sqlite-rows.ts'
import type { Statements } from './sqlite-statements.ts'

const MAX_HELD_BACK = 256
const LOST_REASON = 'the process ended, or its lease ran out, before it settled'

/** Adds the entry and its body, unless the event id is there. */
export function insert(sql: Statements, entry: NewEntry): 'added' | 'duplicate' {
  const now = Date.now()
  const { changes, lastInsertRowid } = sql.insertEntry.run({
    event_id: entry.eventId,
    type: entry.type,
    shape: entry.shape,
    account: entry.account,
    object_id: entry.objectId,
    lane: entry.lane,
    snapshot_event_id: entry.snapshotEventId,
    livemode: entry.livemode === null ? null : Number(entry.livemode),
    api_version: entry.apiVersion,
    created_at: entry.createdAt?.getTime() ?? null,
    now,
    route: entry.route,
    source: entry.source,
    secret: entry.secret,
    state: entry.state,
    settled_at: entry.state === 'pending' ? null : now,
    reason: entry.reason,
  })
  if (changes === 0) return 'duplicate'
  sql.insertPayload.run({ seq: lastInsertRowid, body: entry.body })
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

const attemptOutcomes = { handled: 'handled', unhandled: 'unhandled', pending: 'retried', dead: 'dead' } as const

/** Records how an attempt ended, and lets the next of its lane take its turn; false when the lease was lost. */
export function settle(sql: Statements, owner: string, lease: Lease, outcome: Outcome): boolean {
  const now = Date.now()
  const seq = Number(lease.token)
  const reason = 'error' in outcome ? outcome.error : outcome.state === 'handled' ? (outcome.reason ?? null) : null
  const recorded = sql.recordAttempt.run({
    seq,
    owner,
    attempt: lease.attempt,
    now,
    outcome: attemptOutcomes[outcome.state],
    error: reason,
  })
  if (recorded.changes === 0) return false
  const isRetried = outcome.state === 'pending'
  const row = sql.settle.get({
    seq,
    state: outcome.state,
    due_at: isRetried ? now + outcome.retryInMs : now,
    settled_at: isRetried ? null : now,
    reason,
  })
  sql.promoteLane.run({ lane: row?.lane ?? null, now })
  return true
}
