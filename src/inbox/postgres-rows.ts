import type { Attempt, Entry, EntryFacts, Lease } from '../event.ts'

/** As the driver gives it: bigint as a string, since a number may not hold it; timestamptz as a Date, bytea as a Buffer. */
export type Row = Record<string, unknown>

// The casts in this file hold because the columns have these types and their CHECKs name the allowed words.

/** Row of `entry` → the facts in it. */
export function toEntryFacts(row: Row): EntryFacts {
  return {
    eventId: row.event_id as string,
    type: row.type as string,
    shape: row.shape as EntryFacts['shape'],
    account: row.account as string | null,
    objectId: row.object_id as string | null,
    lane: row.lane as string,
    snapshotEventId: row.snapshot_event_id as string | null,
    livemode: row.livemode as boolean | null,
    apiVersion: row.api_version as string | null,
    createdAt: row.created_at as Date | null,
    receivedAt: row.received_at as Date,
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
    dueAt: row.due_at as Date,
    settledAt: row.settled_at as Date | null,
    reason: row.reason as string | null,
  }
}

/** Row of `entry` with its `body` → lease. */
export function toLease(row: Row): Lease {
  return {
    entry: toEntryFacts(row),
    body: row.body as Buffer,
    attempt: row.attempts as number,
    handledTwin: row.handled_twin as string | null,
    token: row.seq as string,
  }
}

/** Row of `attempt`, with its instants as JSON has them → attempt. */
export function toAttempt(row: Row): Attempt {
  return {
    number: row.number as number,
    replay: row.replay as number,
    startedAt: new Date(row.started_at as string),
    endedAt: new Date(row.ended_at as string),
    outcome: row.outcome as Attempt['outcome'],
    error: row.error as string | null,
  }
}
