import { attemptOutcomes, type Lease, type NewEntry, type Outcome } from '../../event.ts'
import { LOST_REASON, reasonOf, toLease } from '../rows.ts'
import type { Postgres } from './connection.ts'
import { describeUnavailable, ignoreLostRace } from './errors.ts'
import { toForwardRow } from './forwards.ts'
import type { Committed } from './group-commit.ts'
import { sql } from './statements.ts'
import { toStorable } from './storable.ts'

/** More would take long in one transaction, and too many of the server's locks. */
const MAX_CLAIMED = 256
const MAX_HELD_BACK = 256

/** Adds the entries that are not there, with their bodies, in one statement; answers for each. */
export async function addAll(db: Postgres, entries: readonly NewEntry[]): Promise<Committed<'added' | 'duplicate'>[]> {
  let bodyStart = 1
  const given = entries.map((entry, position) => {
    const start = bodyStart
    bodyStart += entry.body.length
    return toGiven(entry, position, start)
  })
  const values = [JSON.stringify(given), Buffer.concat(entries.map(({ body }) => body))]
  const isForwarded = entries.some(({ forwards }) => forwards !== undefined && forwards.length > 0)
  const statement = isForwarded ? { name: 'add forwarded', text: sql.addForwarded } : { name: 'add', text: sql.add }
  const rows = await db.query({ ...statement, values })
  const duplicates = new Set(rows.map(({ position }) => position))
  return entries.map((_, position) => ({ value: duplicates.has(position) ? 'duplicate' : 'added' }))
}

/** The bodies lie one after the other in a parameter of their own, which goes over the wire as bytes. */
function toGiven({ body, createdAt, ...entry }: NewEntry, position: number, bodyStart: number) {
  return {
    position,
    event_id: entry.eventId,
    type: entry.type,
    shape: entry.shape,
    account: entry.account,
    object_id: entry.objectId,
    lane: entry.lane,
    snapshot_event_id: entry.snapshotEventId,
    livemode: entry.livemode,
    api_version: entry.apiVersion,
    created_ms: createdAt?.getTime() ?? null,
    route: entry.route,
    source: entry.source,
    secret: entry.secret,
    state: entry.state,
    reason: entry.reason,
    found_by: entry.values ?? [],
    ...(entry.forwards?.length && { forwards: entry.forwards.map(toForwardRow) }),
    body_start: bodyStart,
    body_bytes: body.length,
  }
}

const NOTHING_HANDLED = { handled_twin: null, is_superseded: false }

/** Leases what is due; `heldBack` counts the due entries that now wait for their lane. */
export async function claimDue(
  db: Postgres,
  { owner, limit, leaseMs }: { owner: string; limit: number; leaseMs: number },
): Promise<{ leases: Lease[]; heldBack: number }> {
  const [rows = [], handled = []] = await db
    .transact([
      { name: 'claim', text: sql.claim, values: [owner, leaseMs, Math.min(limit, MAX_CLAIMED)] },
      { name: 'handled meanwhile', text: sql.handledMeanwhile, values: [owner] },
    ])
    .catch(ignoreLostRace)
  const handledOf = new Map(handled.map((row) => [row.seq, row]))
  const claimed = rows.filter((row) => row.owner !== null)
  const leases = claimed.map((row) => toLease({ ...row, ...(handledOf.get(row.seq) ?? NOTHING_HANDLED) }))
  if (leases.length === rows.length) return { leases, heldBack: 0 }
  const heldBack = await db.query({ name: 'hold back', text: sql.holdBack, values: [MAX_HELD_BACK] })
  return { leases, heldBack: heldBack.length }
}

/**
 * Makes entries whose lease ran out due again, but those that this process holds, by their names; records the lost attempts, and lets
 * their lanes go on.
 */
export async function freeLostLeases(db: Postgres, owner: string, held: readonly string[]): Promise<void> {
  const [isAny] = await db.query({ name: 'look for lost', text: sql.isAnyLeaseOver, values: [owner, held] })
  if (isAny === undefined) return
  const freed = await db.query({
    name: 'free',
    text: sql.freeLostLeases,
    values: [MAX_HELD_BACK, LOST_REASON, owner, held],
  })
  const waiting = freed.flatMap(({ seq, waits }) => (waits ? [seq] : []))
  if (waiting.length > 0) await db.query({ name: 'promote', text: sql.promote, values: [waiting] })
}

/** Lets every lane go on in which nothing runs: for the start. */
export async function letGo(db: Postgres): Promise<void> {
  await db.query({ text: sql.letGo, values: [null] })
}

/** Makes entries whose handlers were never started due again, as if they had not been claimed. */
export async function releaseAll(db: Postgres, owner: string, leases: readonly Lease[]): Promise<void> {
  const marks = leases.map(toMark)
  const values = [
    owner,
    marks.map(({ seq }) => seq),
    marks.map(({ replays }) => replays),
    marks.map(({ attempt }) => attempt),
  ]
  await db.query({ name: 'release', text: sql.release, values })
}

export interface Settlement {
  readonly lease: Lease
  readonly outcome: Outcome
}

/** Records how attempts ended, and lets the next of each lane take its turn; false for each whose lease was lost. */
export async function settleAll(
  db: Postgres,
  owner: string,
  settlements: readonly Settlement[],
): Promise<Committed<boolean>[]> {
  // A lease that is settled twice at once is settled by the first.
  const firstOf = new Map<string, Settlement>()
  for (const settlement of settlements) {
    const { token } = settlement.lease
    if (!firstOf.has(token)) firstOf.set(token, settlement)
  }
  const first = [...firstOf.values()]
  const seqs = first.map(({ lease }) => toMark(lease).seq)
  const [rows] = await db.transact([
    { name: 'settle', text: sql.settle, values: [owner, JSON.stringify(first.map(toOutcomeRow)), seqs] },
    { name: 'promote', text: sql.promote, values: [seqs] },
  ])
  const settled = new Set(rows?.map(({ seq }) => seq))
  return settlements.map((settlement) => {
    const { lease } = settlement
    return { value: firstOf.get(lease.token) === settlement && settled.has(toMark(lease).seq) }
  })
}

/** What tells a lease from every other; the number of its entry as Postgres gives it, a text. */
function toMark({ token, attempt }: Lease): { seq: string; replays: number; attempt: number } {
  const [seq = '', replays] = token.split(':')
  return { seq, replays: Number(replays), attempt }
}

function toOutcomeRow({ lease, outcome }: Settlement) {
  const reason = reasonOf(outcome)
  return {
    ...toMark(lease),
    state: outcome.state,
    retry_in_ms: outcome.state === 'pending' ? outcome.retryInMs : 0,
    outcome: attemptOutcomes[outcome.state],
    reason: reason === null ? null : toStorable(reason),
  }
}

/** `commit`, and when one of many fails by its own fault, each again by itself, so that it fails alone. */
export function failAlone<Item, Result>(
  commit: (items: readonly Item[]) => Promise<readonly Committed<Result>[]>,
): (items: readonly Item[]) => Promise<readonly Committed<Result>[]> {
  return async (items) => {
    try {
      return await commit(items)
    } catch (error) {
      if (items.length === 1 || describeUnavailable(error) !== undefined) throw error
      const results: Committed<Result>[] = []
      for (const item of items) {
        results.push(...(await commit([item]).catch((reason: unknown): Committed<Result>[] => [{ error: reason }])))
      }
      return results
    }
  }
}
