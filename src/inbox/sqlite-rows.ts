import type { SQLOutputValue } from 'node:sqlite'
import type { Attempt, Entry, EntryFacts, Lease } from '../event.ts'

export type Row = Record<string, SQLOutputValue>

// The casts in this file hold because the tables are STRICT and their CHECKs name the allowed words.

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
    livemode: row.livemode === null ? null : row.livemode === 1,
    apiVersion: row.api_version as string | null,
    createdAt: toDate(row.created_at),
    receivedAt: new Date(row.received_at as number),
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
    dueAt: new Date(row.due_at as number),
    settledAt: toDate(row.settled_at),
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
    startedAt: new Date(row.started_at as number),
    endedAt: new Date(row.ended_at as number),
    outcome: row.outcome as Attempt['outcome'],
    error: row.error as string | null,
  }
}

function toDate(milliseconds: SQLOutputValue | undefined): Date | null {
  return typeof milliseconds === 'number' ? new Date(milliseconds) : null
}
