import { LOOKED_AT, MAX_CAUSES, MAX_COUNTED } from '../forwards.ts'
import { findSeq } from './find-seq.ts'

const notHeld = `NOT (owner = $1 AND concat_ws(':', seq, target, replays, attempts) = ANY ($2::text[]))`

/** Lets the first of each lane go on. */
const promoteIn = (lanes: string): string => `
    WITH next AS MATERIALIZED (
      SELECT next.* FROM (${lanes}) AS lanes
      CROSS JOIN LATERAL (SELECT seq, target FROM forward WHERE forward.target = lanes.target AND forward.lane = lanes.lane AND settled_at IS NULL
                          ORDER BY seq LIMIT 1) AS next
    )
    UPDATE forward SET ready = true, due_at = now()
    FROM next WHERE forward.seq = ANY (ARRAY (SELECT seq FROM next)) AND forward.seq = next.seq AND forward.target = next.target AND NOT ready`

/**
 * As the statements of entries: hot ones have a name, under which each connection prepares them once. The arrays keep a plan from reading
 * all forwards that was made when they were few.
 */
export const forwardSql = {
  /**
   * The first of each target's due ones, with what is sent of their entries. Rows without attempts are due ones that it passed over:
   * they wait for their lane. All start ready, and what this sees is older than what others do just now, so that another claim may
   * have been faster: then the unique index fails it, and it is tried again.
   */
  claim: `
    WITH wanted AS MATERIALIZED (
      SELECT * FROM json_to_recordset($3) AS wanted (target text, most integer)
    ), due AS MATERIALIZED (
      SELECT due.seq, due.target, due.due_at,
             due.lane IS NULL
             OR ((SELECT 1 FROM forward AS busy WHERE busy.target = due.target AND busy.lane = due.lane AND busy.owner IS NOT NULL LIMIT 1) IS NULL
                 AND (SELECT 1 FROM forward AS busy WHERE busy.target = due.target AND busy.lane = due.lane AND busy.settled_at IS NULL
                                                      AND busy.seq < due.seq LIMIT 1) IS NULL) AS may_run
      FROM wanted
      CROSS JOIN LATERAL (SELECT seq, target, lane, due_at FROM forward
                          WHERE state = 'pending' AND state <> 'delivered' AND forward.target = wanted.target AND ready AND due_at <= now()
                          ORDER BY due_at, seq LIMIT wanted.most FOR NO KEY UPDATE SKIP LOCKED) AS due
    ), claimed AS (
      UPDATE forward
      SET state = 'running', attempts = attempts + 1, owner = $1, started_at = now(), lease_until = now() + $2 * interval '1 millisecond'
      FROM due
      WHERE forward.seq = ANY (ARRAY (SELECT seq FROM due WHERE may_run)) AND forward.seq = due.seq AND forward.target = due.target AND may_run
      RETURNING forward.seq, forward.target, lane, hops, attempts, replays, reason
    )
    SELECT claimed.*, event_id, type, account, received_at, (SELECT body FROM payload WHERE payload.seq = claimed.seq) AS body
    FROM due LEFT JOIN (claimed JOIN entry USING (seq)) USING (seq, target) ORDER BY due.due_at, seq`,

  /**
   * Takes what waits for its lane out of the claims' sight, so that the next claim does not meet it again. The share lock makes the
   * settling of what it waits for wait, so that this sees whom to promote; what is settling already is left to the next time.
   */
  holdBack: `
    WITH wanted AS MATERIALIZED (
      SELECT * FROM json_to_recordset($1) AS wanted (target text, most integer)
    ), head AS MATERIALIZED (
      SELECT head.* FROM wanted
      CROSS JOIN LATERAL (SELECT seq, target, lane FROM forward
                          WHERE state = 'pending' AND state <> 'delivered' AND forward.target = wanted.target AND ready AND due_at <= now()
                          ORDER BY due_at, seq LIMIT $2) AS head
      WHERE lane IS NOT NULL
    ), blocked AS MATERIALIZED (
      SELECT head.*,
             coalesce((SELECT seq FROM forward AS busy WHERE busy.target = head.target AND busy.lane = head.lane AND busy.owner IS NOT NULL LIMIT 1),
                      (SELECT seq FROM forward AS busy WHERE busy.target = head.target AND busy.lane = head.lane AND busy.settled_at IS NULL
                                                         AND busy.seq < head.seq ORDER BY seq LIMIT 1)) AS by_seq
      FROM head
    ), waiting AS MATERIALIZED (
      SELECT due.seq, due.target FROM blocked
      CROSS JOIN LATERAL (SELECT 1 FROM forward
                          WHERE forward.seq = by_seq AND forward.target = blocked.target AND settled_at IS NULL AND (owner IS NOT NULL OR forward.seq < blocked.seq)
                          FOR SHARE SKIP LOCKED) AS busy
      CROSS JOIN LATERAL (SELECT seq, target FROM forward WHERE forward.seq = blocked.seq AND forward.target = blocked.target AND owner IS NULL AND settled_at IS NULL
                          FOR NO KEY UPDATE SKIP LOCKED) AS due
    )
    UPDATE forward SET ready = false FROM waiting
    WHERE forward.seq = ANY (ARRAY (SELECT seq FROM waiting)) AND forward.seq = waiting.seq AND forward.target = waiting.target RETURNING 1`,

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
      WHERE forward.seq = ANY (ARRAY (SELECT seq FROM given)) AND forward.seq = given.seq AND forward.target = given.target AND forward.owner = $1
        AND forward.replays = given.replays AND forward.attempts = given.attempt
      RETURNING forward.seq, forward.target, forward.replays, forward.attempts, forward.started_at, given.outcome, given.status,
                given.reason, given.answer
    ), recorded AS (
      INSERT INTO forward_attempt (seq, target, replay, number, started_at, ended_at, outcome, status, error, answer)
      SELECT seq, target, replays, attempts, started_at, now(), outcome, status, reason, answer FROM settled
    )
    SELECT seq, target FROM settled`,

  /**
   * The next of each lane takes its turn. A statement of its own: in the settling one it would not see what was held back while that
   * one waited for its row.
   */
  promote: promoteIn('SELECT DISTINCT * FROM json_to_recordset($1) AS given (target text, lane text)'),
  /** The same in all lanes: a lost one may have held up an earlier one that was replayed, or a row was changed by hand. */
  letGo: promoteIn("SELECT DISTINCT target, lane FROM forward WHERE state = 'pending' AND NOT ready"),

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
    FROM lost WHERE forward.seq = ANY (ARRAY (SELECT seq FROM lost)) AND forward.seq = lost.seq AND forward.target = lost.target`,

  /** Locks the bodies, so that retention does not drop them meanwhile. */
  add: `
    WITH given AS MATERIALIZED (
      SELECT payload.seq, given.event_id, target, CASE WHEN in_order THEN lane END AS lane, hops, held
      FROM json_to_recordset($1) AS given (event_id text, target text, hops integer, held text, in_order boolean)
      JOIN entry ON entry.event_id = given.event_id JOIN payload ON payload.seq = entry.seq
      ORDER BY payload.seq FOR KEY SHARE OF payload
    ), added AS (
      INSERT INTO forward (seq, target, lane, hops, state, due_at, settled_at, reason)
      SELECT seq, target, lane, hops, CASE WHEN held IS NULL THEN 'pending' ELSE 'held' END, now(), CASE WHEN held IS NOT NULL THEN now() END, held
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

  hasten: `
    WITH later AS MATERIALIZED (
      SELECT seq FROM forward WHERE state = 'pending' AND state <> 'delivered' AND target = $1 AND ready AND due_at > now()
      ORDER BY due_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE forward SET due_at = now() FROM later
    WHERE forward.seq = ANY (ARRAY (SELECT seq FROM later)) AND forward.seq = later.seq AND forward.target = $1 RETURNING 1`,

  drop: `
    WITH given AS MATERIALIZED (
      SELECT forward.seq, event_id FROM entry JOIN forward ON forward.seq = entry.seq
      WHERE event_id = ANY ($2) AND target = $1 AND forward.state = ANY ($3) AND forward.state IN ('pending', 'dead', 'held')
      ORDER BY forward.seq FOR NO KEY UPDATE OF forward
    )
    UPDATE forward SET state = 'dropped', settled_at = now(), reason = $4, ready = true
    FROM given WHERE forward.seq = given.seq AND forward.target = $1 RETURNING event_id`,
  /** As `promote`, of the lanes of those entries. */
  promoteAfter: promoteIn(`
      SELECT DISTINCT target, forward.lane FROM entry JOIN forward USING (seq) WHERE event_id = ANY ($2) AND target = $1 AND forward.lane IS NOT NULL`),

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
  /** Goes from one state and target to the next in the index, and counts so many of each. */
  count: `
    WITH RECURSIVE pair AS (
      (SELECT state, target FROM forward WHERE state <> 'delivered' ORDER BY state, target LIMIT 1)
      UNION ALL
      SELECT next.* FROM pair CROSS JOIN LATERAL (
        SELECT state, target FROM forward WHERE state <> 'delivered' AND (state, target) > (pair.state, pair.target)
        ORDER BY state, target LIMIT 1
      ) AS next
    )
    SELECT target, state, forwards,
           (SELECT extract(epoch FROM now() - received_at) * 1000 FROM entry WHERE entry.seq = first) AS oldest_ms
    FROM pair
    CROSS JOIN LATERAL (SELECT count(*) AS forwards, min(seq) AS first
                        FROM (SELECT seq FROM forward WHERE state <> 'delivered' AND state = pair.state AND target = pair.target
                              LIMIT ${MAX_COUNTED}) AS counted) AS found
    WHERE state <> 'dropped'`,

  listCauses: `
    SELECT state, reason, count(*) AS forwards, max(coalesce(settled_at, started_at, due_at)) AS newest_at
    FROM (SELECT * FROM forward WHERE target = $1 AND reason IS NOT NULL AND state <> 'dropped' ORDER BY due_at DESC LIMIT ${LOOKED_AT}) AS failing
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
