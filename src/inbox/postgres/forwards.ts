import type { NewForward } from '../../event.ts'
import {
  readForwardToken,
  toForward,
  toForwardCause,
  toForwardCount,
  toForwardDetails,
  toForwardLease,
  toKnownState,
  toTargetAttempt,
} from '../forward-rows.ts'
import {
  FORWARDED_REASON,
  type Forward,
  type ForwardCause,
  type ForwardCount,
  type ForwardDetail,
  type ForwardFilter,
  type ForwardLease,
  type ForwardOutcome,
  type ForwardState,
  forwardOutcomes,
  type KnownState,
  type LateForward,
  type TargetAttempt,
  type TargetState,
  type Wanted,
} from '../forwards.ts'
import { LOST_REASON, type Row } from '../rows.ts'
import type { Postgres } from './connection.ts'
import { ignoreLostRace } from './errors.ts'
import { forwardSql as sql } from './forward-statements.ts'
import type { Committed } from './group-commit.ts'
import { toStorable } from './storable.ts'

/** More would be too many of the server's locks. */
const MAX_FREED = 256
const MAX_HELD_BACK = 256

/** What a statement that adds it is given. */
export const toForwardRow = ({ held, order, ...forward }: NewForward) => ({
  ...forward,
  held: held && toStorable(held),
  in_order: order === 'lane',
})

export interface ForwardSettlement {
  readonly lease: ForwardLease
  readonly outcome: ForwardOutcome
}

/** Leases what is due of each target; `heldBack` counts those that now wait for their lane. */
export async function claimForwards(
  db: Postgres,
  { owner, wanted, leaseMs }: { readonly owner: string; readonly wanted: readonly Wanted[]; readonly leaseMs: number },
): Promise<{ leases: ForwardLease[]; heldBack: number }> {
  const given = JSON.stringify(wanted.map(({ target, limit }) => ({ target, most: limit })))
  const statement = { name: 'claim forwards', text: sql.claim, values: [owner, leaseMs, given] }
  const rows: Row[] = await db.query(statement).catch(ignoreLostRace)
  const leases = rows.filter(({ attempts }) => attempts !== null).map(toForwardLease)
  if (leases.length === rows.length) return { leases, heldBack: 0 }
  const held = await db.query({ name: 'hold back forwards', text: sql.holdBack, values: [given, MAX_HELD_BACK] })
  return { leases, heldBack: held.length }
}

/** Records how attempts ended, and lets the next of each lane take its turn; false for each whose lease was lost. */
export async function settleForwards(
  db: Postgres,
  owner: string,
  settlements: readonly ForwardSettlement[],
): Promise<Committed<boolean>[]> {
  // A lease that is settled twice at once is settled by the first.
  const firstOf = new Map<string, ForwardSettlement>()
  for (const settlement of settlements) {
    if (!firstOf.has(settlement.lease.token)) firstOf.set(settlement.lease.token, settlement)
  }
  const given = JSON.stringify([...firstOf.values()].map(toOutcomeRow))
  const statement = { name: 'settle forwards', text: sql.settle, values: [owner, given] }
  const lanes = settlements.flatMap(({ lease: { target, lane } }) => (lane === null ? [] : [{ target, lane }]))
  const promote = { name: 'promote forwards', text: sql.promote, values: [JSON.stringify(lanes)] }
  const [rows = []] = lanes.length === 0 ? [await db.query(statement)] : await db.transact([statement, promote])
  const settled = new Set(rows.map(({ seq, target }) => `${seq}:${target}`))
  return settlements.map((settlement) => {
    const { seq, target } = readForwardToken(settlement.lease)
    return { value: firstOf.get(settlement.lease.token) === settlement && settled.has(`${seq}:${target}`) }
  })
}

function toOutcomeRow({ lease, outcome }: ForwardSettlement) {
  return {
    ...readForwardToken(lease),
    attempt: lease.attempt,
    state: outcome.state,
    retry_in_ms: outcome.state === 'pending' ? outcome.retryInMs : 0,
    outcome: forwardOutcomes[outcome.state],
    status: outcome.status,
    reason: outcome.state === 'delivered' ? null : toStorable(outcome.error),
    answer: outcome.answer === null ? null : toStorable(outcome.answer),
  }
}

/** Makes forwards whose lease ran out due again, but those that this process holds, by their names. */
export async function freeLostForwards(db: Postgres, owner: string, held: readonly string[]): Promise<void> {
  const [isAny] = await db.query({ name: 'look for lost forwards', text: sql.isAnyLeaseOver, values: [owner, held] })
  if (isAny === undefined) return
  const values = [owner, held, MAX_FREED, LOST_REASON]
  await db.transact([{ name: 'free forwards', text: sql.freeLostLeases, values }, LET_GO])
}

const LET_GO = { text: sql.letGo }

/** Lets the first of every lane go on: for the start, after a row was changed by hand. */
export async function letGoForwards(db: Postgres): Promise<void> {
  await db.query(LET_GO)
}

/** What operators and the processes among themselves write. Rejects with the driver's errors. */
export function createForwardUpkeep(db: Postgres) {
  return {
    async add(forwards: readonly LateForward[]): Promise<string[]> {
      const given = forwards.map(({ eventId, ...forward }) => ({ event_id: eventId, ...toForwardRow(forward) }))
      const rows = await db.query({ text: sql.add, values: [JSON.stringify(given), FORWARDED_REASON] })
      return rows.map(({ event_id }) => String(event_id))
    },

    async replay(target: string, eventIds: readonly string[], states: readonly ForwardState[]): Promise<string[]> {
      const rows = await db.query({ text: sql.replay, values: [target, eventIds, states] })
      return rows.map(({ event_id }) => String(event_id))
    },

    async hasten(target: string, limit: number): Promise<number> {
      return (await db.query({ text: sql.hasten, values: [target, limit] })).length
    },

    async drop(
      target: string,
      eventIds: readonly string[],
      states: readonly ForwardState[],
      reason: string,
    ): Promise<string[]> {
      const drop = { text: sql.drop, values: [target, eventIds, states, toStorable(reason)] }
      const [rows = []] = await db.transact([drop, { text: sql.promoteAfter, values: [target, eventIds] }])
      return rows.map(({ event_id }) => String(event_id))
    },

    async writeState(target: string, state: TargetState, version: number): Promise<boolean> {
      const values = [target, JSON.stringify(state), version]
      return (await db.query({ text: sql.writeState, values })).length === 1
    },
  }
}

/** What is read. Rejects with the driver's errors. */
export function createForwardQueries(db: Postgres) {
  return {
    async ofEntry(eventId: string): Promise<ForwardDetail[]> {
      const rows = await db.query({ text: sql.listOfEntry, values: [eventId] })
      // Null when there are none.
      const attempts = rows.flatMap(({ attempt_rows: own }) => (own ?? []) as Row[])
      return toForwardDetails(rows, attempts)
    },

    async list(
      { target, states, reason, receivedWithinMs }: ForwardFilter,
      { limit, before }: { readonly limit: number; readonly before?: string },
    ): Promise<Forward[]> {
      const values = [
        target,
        states ?? null,
        receivedWithinMs ?? null,
        before ?? null,
        limit,
        reason === undefined ? null : toStorable(reason),
      ]
      return (await db.query({ text: sql.list, values })).map(toForward)
    },

    counts: async (): Promise<ForwardCount[]> => (await db.query({ text: sql.count })).map(toForwardCount),
    causes: async (target: string): Promise<ForwardCause[]> =>
      (await db.query({ text: sql.listCauses, values: [target] })).map(toForwardCause),
    lastAttempts: async (target: string, limit: number): Promise<TargetAttempt[]> =>
      (await db.query({ text: sql.listLastAttempts, values: [target, limit] })).map(toTargetAttempt),
    states: async (): Promise<KnownState[]> => (await db.query({ text: sql.listStates })).map(toKnownState),
  }
}
