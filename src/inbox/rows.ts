import {
  type Attempt,
  type Decision,
  type Entry,
  type EntryFacts,
  type EntryState,
  entryStates,
  type Lease,
  type Outcome,
} from '../event.ts'
import type { Action } from './actions.ts'
import type { Figures } from './figures.ts'
import type { EntryPresence, Group, Hold, Summary } from './inbox.ts'

/** As either driver gives it: instants as milliseconds, Dates or ISO text, flags as 0 and 1 or booleans, `seq` as a number or text. */
export type Row = Record<string, unknown>

// The casts in this file hold because both schemas bind the columns to these types, and their CHECKs name the allowed words.

/** Row of `entry` → the facts in it. */
function toEntryFacts(row: Row): EntryFacts {
  return {
    eventId: row.event_id as string,
    type: row.type as string,
    shape: row.shape as EntryFacts['shape'],
    account: row.account as string | null,
    objectId: row.object_id as string | null,
    lane: row.lane as string,
    snapshotEventId: row.snapshot_event_id as string | null,
    livemode: row.livemode === null ? null : Boolean(row.livemode),
    apiVersion: row.api_version as string | null,
    createdAt: row.created_at === null ? null : toDate(row.created_at),
    receivedAt: toDate(row.received_at),
    route: row.route as EntryFacts['route'],
    source: row.source as EntryFacts['source'],
    secret: row.secret as string,
  }
}

/** Row of `entry` → the whole entry. */
export function toEntry(row: Row): Entry {
  return {
    ...toEntryFacts(row),
    state: row.state as Entry['state'],
    attempts: row.attempts as number,
    replays: row.replays as number,
    dueAt: toDate(row.due_at),
    settledAt: row.settled_at === null ? null : toDate(row.settled_at),
    reason: row.reason as string | null,
  }
}

/** Row of `entry` with its `body` → lease. */
export function toLease(row: Row): Lease {
  return {
    entry: toEntryFacts(row),
    body: row.body as Uint8Array,
    attempt: row.attempts as number,
    handledTwin: row.handled_twin as string | null,
    isSuperseded: Boolean(row.is_superseded),
    isForwarded: Boolean(row.is_forwarded),
    lastFailure: row.reason as string | null,
    token: `${row.seq}:${row.replays}`,
  }
}

/** Row of `attempt` → attempt. */
export function toAttempt(row: Row): Attempt {
  return {
    number: row.number as number,
    replay: row.replay as number,
    startedAt: toDate(row.started_at),
    endedAt: toDate(row.ended_at),
    outcome: row.outcome as Attempt['outcome'],
    error: row.error as string | null,
  }
}

/** Column `decision` → what was replied; null where there is none, as undefined of no row. */
export const toDecision = (decision: unknown): Decision | null =>
  typeof decision === 'string' ? JSON.parse(decision) : null

/** An instant as either driver gives it. */
export function toDate(instant: unknown): Date {
  return new Date(instant as number | string | Date)
}

/** Row of `figures`, `counted` parsed → figures. */
export function toFigures({ at, counted }: Row): Figures & { readonly at: Date } {
  return { ...(counted as Figures), at: toDate(at) }
}

/** Row of `action`, `facts` parsed → action. */
export function toAction({ id, at, state, facts }: Row): Action {
  return { id: Number(id), at: toDate(at), state: state as Action['state'], facts: facts as Action['facts'] }
}

/** Value of the note that holds everything, and when it was written → hold. */
export function toHold(value: string, now: number): Hold {
  const { who, reason, at } = JSON.parse(value) as Pick<Hold, 'who' | 'reason'> & { readonly at: number }
  return { who, reason, forMs: Math.max(0, now - at) }
}

/** Row of `event_id`, `type`, `state` and `has_body` → that the entry is here. */
export function toPresence(row: Row): EntryPresence {
  return {
    eventId: row.event_id as string,
    type: row.type as string,
    state: row.state as EntryState,
    hasBody: Boolean(row.has_body),
    isAnswered: Boolean(row.is_answered),
  }
}

/** Rows of `state` and `entries`, in which `all` stands for every entry → number of entries in each state: the handled are the rest. */
export function toCounts(rows: readonly Row[]): Record<EntryState, number> {
  const counted = new Map(rows.map(({ state, entries }) => [state, Number(entries)]))
  const rest = [...counted].reduce((sum, [state, entries]) => (state === 'all' ? sum : sum + entries), 0)
  // An estimate of all may be less than the rest.
  counted.set('handled', Math.max(0, (counted.get('all') ?? 0) - rest))
  // The keys are exactly the states.
  return Object.fromEntries(entryStates.map((state) => [state, counted.get(state) ?? 0])) as Record<EntryState, number>
}

/**
 * Rows of groups, perhaps several of one group: `state`, `type`, `reason`, `entries`, `oldest_at`, `newest_at`, and the numbers of the first
 * and last of them → the groups, largest first, and those numbers over all.
 */
export function toGroups(rows: readonly Row[], limit: number) {
  const groups = new Map<string, Group>()
  for (const row of rows) {
    const key = JSON.stringify([row.state, row.type, row.reason])
    const known = groups.get(key)
    const [oldestAt, newestAt] = [toDate(row.oldest_at), toDate(row.newest_at)]
    groups.set(key, {
      state: row.state as EntryState,
      type: row.type as string,
      reason: row.reason as string | null,
      entries: Number(row.entries) + (known?.entries ?? 0),
      oldestAt: known !== undefined && known.oldestAt < oldestAt ? known.oldestAt : oldestAt,
      newestAt: known !== undefined && known.newestAt > newestAt ? known.newestAt : newestAt,
    })
  }
  const entries = groups.values().reduce((sum, group) => sum + group.entries, 0)
  return {
    groups: [...groups.values()].sort((one, other) => other.entries - one.entries).slice(0, limit),
    entries,
    firstSeq: rows.reduce((least, row) => Math.min(least, Number(row.first_seq)), Infinity),
    lastSeq: rows.reduce((most, row) => Math.max(most, Number(row.last_seq)), 0),
  } satisfies Pick<Summary, 'groups' | 'entries'> & Record<string, unknown>
}

/**
 * Condition, in both stores, that a handler of its own (no reason) once handled the `twin`, whatever became of it since. Postgres may
 * make a join of an EXISTS, and read all attempts.
 */
export const TWIN_WAS_HANDLED =
  "(SELECT 1 FROM attempt WHERE attempt.seq = twin.seq AND outcome = 'handled' AND error IS NULL LIMIT 1) IS NOT NULL"

/** Of an attempt whose lease ended before it did. */
export const LOST_REASON = 'the process ended, or its lease ran out, before it settled'

/** Why an attempt ended so; null when there is nothing to tell. */
export function reasonOf(outcome: Outcome): string | null {
  if ('error' in outcome) return outcome.error
  return outcome.state === 'handled' ? (outcome.reason ?? null) : null
}
