import type {
  Forward,
  ForwardAttempt,
  ForwardCause,
  ForwardCount,
  ForwardDetail,
  ForwardLease,
  KnownState,
  TargetAttempt,
} from './forwards.ts'
import { LOST_REASON, type Row, toDate } from './rows.ts'

// The casts in this file hold because both schemas bind the columns to these types, and their CHECKs name the allowed words.

/** Row of a claimed `forward` with what is sent of its entry → lease. */
export function toForwardLease(row: Row): ForwardLease {
  return {
    target: row.target as string,
    entry: {
      eventId: row.event_id as string,
      type: row.type as string,
      account: row.account as string | null,
      receivedAt: toDate(row.received_at),
    },
    body: row.body as Uint8Array | null,
    hops: row.hops as number,
    lane: row.lane as string | null,
    attempt: row.attempts as number,
    isLastLost: row.reason === LOST_REASON,
    token: `${row.seq}:${row.target}:${row.replays}`,
  }
}

/** What the token of a lease was made of; the number of its entry as text. */
export function readForwardToken({ token }: Pick<ForwardLease, 'token'>) {
  const [seq = '', target = '', replays] = token.split(':')
  return { seq, target, replays: Number(replays) }
}

/** Row of `forward` with its entry's `event_id` and `type` → forward. */
export function toForward(row: Row): Forward {
  return {
    eventId: row.event_id as string,
    type: row.type as string,
    target: row.target as string,
    state: row.state as Forward['state'],
    attempts: row.attempts as number,
    replays: row.replays as number,
    dueAt: toDate(row.due_at),
    settledAt: row.settled_at === null ? null : toDate(row.settled_at),
    reason: row.reason as string | null,
  }
}

/** Rows of an entry's forwards, and of all their attempts → each with its own. */
export function toForwardDetails(rows: readonly Row[], attempts: readonly Row[]): ForwardDetail[] {
  const historyOf = Map.groupBy(attempts, ({ target }) => target)
  return rows.map((row) => ({ ...toForward(row), history: (historyOf.get(row.target) ?? []).map(toForwardAttempt) }))
}

function toForwardAttempt(row: Row): ForwardAttempt {
  return {
    number: row.number as number,
    replay: row.replay as number,
    startedAt: toDate(row.started_at),
    endedAt: toDate(row.ended_at),
    outcome: row.outcome as ForwardAttempt['outcome'],
    status: row.status as number | null,
    error: row.error as string | null,
    answer: row.answer as string | null,
  }
}

/** Row of `forward_attempt` with its entry's `event_id` and `type` → attempt. */
export function toTargetAttempt(row: Row): TargetAttempt {
  return { ...toForwardAttempt(row), eventId: row.event_id as string, type: row.type as string }
}

/** Row of `state`, `reason`, `forwards` and `newest_at` → cause. */
export function toForwardCause(row: Row): ForwardCause {
  return {
    state: row.state as ForwardCause['state'],
    reason: row.reason as string,
    forwards: Number(row.forwards),
    newestAt: toDate(row.newest_at),
  }
}

/** Row of `target`, `state`, `forwards` and `oldest_ms` → count. */
export function toForwardCount({ target, state, forwards, oldest_ms: oldestMs }: Row): ForwardCount {
  return {
    target: target as string,
    state: state as ForwardCount['state'],
    forwards: Number(forwards),
    // Negative where the clock was set back.
    oldestMs: state === 'pending' ? Math.max(0, Number(oldestMs)) : null,
  }
}

/** Row of `target` → what is known of it. */
export function toKnownState({ name, state, version }: Row): KnownState {
  return { target: name as string, state: JSON.parse(state as string), version: version as number }
}
