import { LOOKED_AT, MAX_CAUSES } from '../forwards.ts'
import { findSeq } from './find-seq.ts'

const notHeld = `NOT (owner = $1 AND concat_ws(':', seq, target, replays, attempts) = ANY ($2::text[]))`

/** As the statements of entries: hot ones have a name, under which each connection prepares them once. */
export const forwardSql = {
  /** The first of each target's due ones, with what is sent of their entries. */
  claim: `
    WITH wanted AS MATERIALIZED (
      SELECT * FROM json_to_recordset($3) AS wanted (target text, most integer)
    ), due AS MATERIALIZED (
      SELECT due.seq, due.target FROM wanted
      CROSS JOIN LATERAL (SELECT seq, target FROM forward
                          WHERE state = 'pending' AND state <> 'delivered' AND forward.target = wanted.target AND due_at <= now()
                          ORDER BY due_at, seq LIMIT wanted.most FOR NO KEY UPDATE SKIP LOCKED) AS due
    ), claimed AS (
      UPDATE forward
      SET state = 'running', attempts = attempts + 1, owner = $1, started_at = now(), lease_until = now() + $2 * interval '1 millisecond'
      FROM due WHERE forward.seq = due.seq AND forward.target = due.target
      RETURNING forward.seq, forward.target, hops, attempts, replays, due_at
    )
    SELECT claimed.*, event_id, type, account, received_at, (SELECT body FROM payload WHERE payload.seq = claimed.seq) AS body
    FROM claimed JOIN entry ON entry.seq = claimed.seq ORDER BY claimed.due_at, claimed.seq`,

  /** Guarded by owner, which only running ones have, replays and attempt: a lost lease settles nothing. */
  settle: `
    WITH given AS MATERIALIZED (
      SELECT * FROM json_to_recordset($2) AS given (
        seq bigint, target text, replays integer, attempt integer, state text, retry_in_ms double precision, outcome text, status integer,
        reason text, answer text)
    ), settled AS (
      UPDATE forward
      SET state = given.state, due_at = now() + given.retry_in_ms * interval '1 millisecond',
          settled_at = CASE WHEN given.state <> 'pending' THEN now() END, reason = given.reason, owner = NULL, lease_until = NULL
      FROM given
      WHERE forward.seq = given.seq AND forward.target = given.target AND forward.owner = $1
        AND forward.replays = given.replays AND forward.attempts = given.attempt
      RETURNING forward.seq, forward.target, forward.replays, forward.attempts, forward.started_at, given.outcome, given.status,
                given.reason, given.answer
    ), recorded AS (
      INSERT INTO forward_attempt (seq, target, replay, number, started_at, ended_at, outcome, status, error, answer)
      SELECT seq, target, replays, attempts, started_at, now(), outcome, status, reason, answer FROM settled
    )
    SELECT seq, target FROM settled`,

  isAnyLeaseOver: `SELECT 1 FROM forward WHERE lease_until <= now() AND ${notHeld} LIMIT 1`,
  /** But what this process still works on: it knows. */
  freeLostLeases: `
    WITH lost AS MATERIALIZED (
      SELECT seq, target, replays, attempts, started_at FROM forward WHERE lease_until <= now() AND ${notHeld}
      LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED
    ), recorded AS (
      INSERT INTO forward_attempt (seq, target, replay, number, started_at, ended_at, outcome, error)
      SELECT seq, target, replays, attempts, started_at, now(), 'lost', $4 FROM lost
    )
    UPDATE forward SET state = 'pending', reason = $4, owner = NULL, lease_until = NULL, due_at = now()
    FROM lost WHERE forward.seq = lost.seq AND forward.target = lost.target`,

  /** Locks the bodies, so that retention does not drop them meanwhile. */
  add: `
    WITH given AS MATERIALIZED (
      SELECT payload.seq, given.event_id, target, hops, held
      FROM json_to_recordset($1) AS given (event_id text, target text, hops integer, held text)
      JOIN entry ON entry.event_id = given.event_id JOIN payload ON payload.seq = entry.seq
      ORDER BY payload.seq FOR KEY SHARE OF payload
    ), added AS (
      INSERT INTO forward (seq, target, hops, state, due_at, settled_at, reason)
      SELECT seq, target, hops, CASE WHEN held IS NULL THEN 'pending' ELSE 'held' END, now(), CASE WHEN held IS NOT NULL THEN now() END, held
      FROM given ON CONFLICT (seq, target) DO NOTHING RETURNING seq, target
    ), taken AS (
      UPDATE entry SET state = 'handled', reason = $2 FROM added WHERE entry.seq = added.seq AND entry.state = 'unhandled'
    )
    SELECT event_id FROM added JOIN given USING (seq, target)`,
  replay: `
    WITH given AS MATERIALIZED (
      SELECT forward.seq, event_id FROM entry JOIN payload ON payload.seq = entry.seq JOIN forward ON forward.seq = entry.seq
      WHERE event_id = ANY ($2) AND target = $1 AND forward.state = ANY ($3) AND forward.state <> 'running'
      ORDER BY forward.seq FOR NO KEY UPDATE OF forward FOR KEY SHARE OF payload
    )
    UPDATE forward
    SET attempts = CASE WHEN state = 'pending' THEN attempts ELSE 0 END,
        replays = CASE WHEN state = 'pending' THEN replays ELSE replays + 1 END,
        due_at = CASE WHEN state = 'pending' THEN least(due_at, now()) ELSE now() END, settled_at = NULL, state = 'pending'
    FROM given WHERE forward.seq = given.seq AND forward.target = $1 RETURNING event_id`,

  listOfEntry: `
    SELECT forward.*, event_id, type,
           (SELECT json_agg(forward_attempt ORDER BY replay, number) FROM forward_attempt
            WHERE forward_attempt.seq = forward.seq AND forward_attempt.target = forward.target) AS attempt_rows
    FROM entry JOIN forward ON forward.seq = entry.seq WHERE event_id = $1 ORDER BY target`,
  list: `
    SELECT forward.*, event_id, type FROM forward JOIN entry ON entry.seq = forward.seq
    WHERE target = $1 AND ($2::text[] IS NULL OR forward.state = ANY ($2))
      AND ($3::double precision IS NULL OR forward.seq >= (${findSeq(`now() - $3 * interval '1 millisecond'`)}))
      AND ($4::text IS NULL OR forward.seq < (SELECT seq FROM entry WHERE event_id = $4))
      AND ($6::text IS NULL OR forward.reason = $6)
    ORDER BY forward.seq DESC LIMIT $5`,
  count: `
    SELECT target, state, count(*) AS forwards, extract(epoch FROM now() - min(due_at)) * 1000 AS oldest_ms FROM forward
    WHERE state <> 'delivered' GROUP BY state, target`,

  listCauses: `
    SELECT state, reason, count(*) AS forwards, max(coalesce(settled_at, started_at, due_at)) AS newest_at
    FROM (SELECT * FROM forward WHERE target = $1 AND reason IS NOT NULL ORDER BY due_at DESC LIMIT ${LOOKED_AT}) AS failing
    GROUP BY state, reason ORDER BY forwards DESC, newest_at DESC LIMIT ${MAX_CAUSES}`,
  listLastAttempts: `
    WITH failed AS (
      SELECT * FROM forward_attempt WHERE target = $1 AND outcome <> 'delivered' ORDER BY ended_at DESC LIMIT $2
    ), delivered AS (
      SELECT seq FROM forward WHERE seq > (SELECT max(seq) FROM entry) - ${LOOKED_AT} AND target = $1 AND state = 'delivered'
      ORDER BY seq DESC LIMIT $2
    )
    SELECT last.*, event_id, type FROM (
      SELECT * FROM failed
      UNION ALL
      SELECT forward_attempt.* FROM delivered JOIN forward_attempt USING (seq) WHERE target = $1 AND outcome = 'delivered'
    ) AS last JOIN entry USING (seq) ORDER BY ended_at DESC, seq DESC LIMIT $2`,

  listStates: 'SELECT name, state, version FROM target ORDER BY name',
  writeState: `
    INSERT INTO target (name, state, version) SELECT $1, $2, 1 WHERE $3 = 0 OR EXISTS (SELECT 1 FROM target WHERE name = $1)
    ON CONFLICT (name) DO UPDATE SET state = excluded.state, version = target.version + 1 WHERE target.version = $3 RETURNING 1`,
}
