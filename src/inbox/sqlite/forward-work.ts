import type { NewForward } from '../../event.ts'
import { readForwardToken } from '../forward-rows.ts'
import {
  FORWARDED_REASON,
  type ForwardLease,
  type ForwardOutcome,
  type ForwardState,
  forwardOutcomes,
  type LateForward,
  type Wanted,
} from '../forwards.ts'
import { LOST_REASON, type Row } from '../rows.ts'
import type { ForwardStatements } from './forward-statements.ts'

/** Who writes forwards, and when. */
export interface ForwardWriting {
  readonly sql: ForwardStatements
  readonly owner: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** More would take long in one transaction. */
const MAX_HELD_BACK = 256

/** A forward as plain values. */
export type ForwardValues = readonly [target: string, hops: number, held: string | null, keepsOrder: number]

export const toForwardValues = ({ target, hops, held, order }: NewForward): ForwardValues => [
  target,
  hops,
  held,
  order === 'lane' ? 1 : 0,
]

/** Stores an entry's forwards, due at once unless they are held. */
export function insertForwards(
  { sql, now }: Omit<ForwardWriting, 'owner'>,
  seq: number | bigint,
  forwards: readonly ForwardValues[],
): void {
  for (const values of forwards) sql.insert.run(seq, ...values, now)
}

/** Leases what is due of each target, with what is sent of its entry; `heldBack` counts those that now wait for their lane. */
export function claimForwards(
  { sql, owner, now }: ForwardWriting,
  wanted: readonly Wanted[],
): { rows: Row[]; heldBack: number } {
  let heldBack = 0
  const rows = wanted.flatMap(({ target, limit }) => {
    if (sql.isAnyDue.get(target, now) === undefined) return []
    const claimed = sql.claim.all(owner, target, now, limit)
    if (claimed.length < limit) heldBack += Number(sql.holdBack.run(target, now, MAX_HELD_BACK).changes)
    return claimed.map((row) => ({ ...row, ...sql.getEntry.get(row.seq ?? null) }))
  })
  return { rows, heldBack }
}

/** How an attempt ended, as plain values. */
export type ForwardSettlement = readonly [
  seq: number,
  target: string,
  replays: number,
  attempt: number,
  state: ForwardOutcome['state'],
  retryInMs: number,
  status: number | null,
  reason: string | null,
  answer: string | null,
  lane: string | null,
]

export function toForwardSettlement(lease: ForwardLease, outcome: ForwardOutcome): ForwardSettlement {
  const { seq, target, replays } = readForwardToken(lease)
  const retryInMs = outcome.state === 'pending' ? outcome.retryInMs : 0
  const reason = outcome.state === 'delivered' ? null : outcome.error
  const ended = [outcome.state, retryInMs, outcome.status, reason, outcome.answer] as const
  return [Number(seq), target, replays, lease.attempt, ...ended, lease.lane]
}

/** Records how an attempt ended, and lets the next of its lane take its turn; false when the lease was lost. */
export function settleForward({ sql, owner, now }: ForwardWriting, settlement: ForwardSettlement): boolean {
  const [seq, target, replays, attempt, state, retryInMs, status, reason, answer, lane] = settlement
  const ended = [now, forwardOutcomes[state], status, reason, answer] as const
  if (sql.recordAttempt.run(seq, target, owner, replays, attempt, ...ended).changes === 0) return false
  sql.settle.run(seq, target, state, now + retryInMs, state === 'pending' ? null : now, reason)
  if (lane !== null) sql.promoteNext.run(target, lane, now)
  return true
}

/** As `freeLostLeases`, of forwards. */
export function freeLostForwards({ sql, owner, now }: ForwardWriting, held: readonly string[]): void {
  const lost = { now, owner, held: JSON.stringify(held) }
  sql.recordLostAttempts.run({ ...lost, reason: LOST_REASON })
  sql.freeLostLeases.run({ ...lost, reason: LOST_REASON })
  sql.bringToPresent.run(now)
  sql.letGo.run(now)
}

/** Adds forwards of entries that are here; gives the ids of those that were not there before. */
export function addForwards(writing: Omit<ForwardWriting, 'owner'>, forwards: readonly LateForward[]): string[] {
  const { sql, now } = writing
  return forwards.flatMap(({ eventId, ...forward }) => {
    const seq = sql.findWithBody.get(eventId)?.seq
    if (seq === undefined || sql.insert.run(seq, ...toForwardValues(forward), now).changes === 0) return []
    sql.takeUnhandled.run(seq, FORWARDED_REASON)
    return [eventId]
  })
}

/** Makes forwards due now; gives the ids of those that are. */
export function replayForwards(
  { sql, now }: Omit<ForwardWriting, 'owner'>,
  target: string,
  eventIds: readonly string[],
  states: readonly ForwardState[],
): string[] {
  return eventIds.filter((eventId) => {
    const seq = sql.findWithBody.get(eventId)?.seq
    if (seq === undefined) return false
    return sql.replay.run({ target, states: JSON.stringify(states), seq, now }).changes === 1
  })
}

/** Gives forwards up, and lets the next of each lane take its turn; gives the ids of those that are dropped. */
export function dropForwards(
  { sql, now }: Omit<ForwardWriting, 'owner'>,
  { target, eventIds, states, reason }: { target: string; eventIds: readonly string[]; states: string; reason: string },
): string[] {
  return eventIds.filter((eventId) => {
    const dropped = sql.drop.get({ target, states, reason, event_id: eventId, now })
    if (dropped?.lane != null) sql.promoteNext.run(target, dropped.lane, now)
    return dropped !== undefined
  })
}
