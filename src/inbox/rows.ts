import type { Attempt, Entry, EntryFacts, Lease } from '../event.ts'

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
    token: String(row.seq),
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

function toDate(instant: unknown): Date {
  return new Date(instant as number | string | Date)
}
