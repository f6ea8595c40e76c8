import {
  ACCOUNT_NOTE,
  CLOCKS_APART_MS,
  CONTEXT_NOTE,
  DEAUTHORIZED,
  HOLD_NOTE,
  SEARCHED,
  THIN_ACCOUNT_NOTE,
} from '../inbox.ts'
import { TWIN_WAS_HANDLED } from '../rows.ts'
import { findSeq } from './find-seq.ts'

/** Class of the advisory locks on lanes: any number. Lanes that share a key merely wait for each other. */
const LANE_LOCKS = 25_000

/**
 * What settled before this was settled for long enough, $1 in milliseconds. Counted from the newest arrival, or from what the clock here
 * ($4) or there says when that is earlier: one that runs ahead makes nothing old.
 */
const until = `until AS MATERIALIZED (
      SELECT least(now(), to_timestamp($4::double precision / 1000), (SELECT received_at FROM entry ORDER BY seq DESC LIMIT 1))
             - $1 * interval '1 millisecond' AS instant
    )`
const UNTIL = '(SELECT instant FROM until)'

/** What a step of retention did: how many it dropped, of how many it looked at, and the last of those. */
const pruned = `SELECT (SELECT count(*) FROM dropped) AS dropped, count(*) AS looked, max(seq) AS last FROM looked`

/** Condition that a running entry is none of those that the owner holds, by their names. */
const notHeld = (owner: string, held: string): string =>
  `NOT (owner = ${owner} AND concat_ws(':', seq, replays, attempts) = ANY (${held}::text[]))`

/** Condition that commits are synced to a disk. Neon does so outside of its Postgres, which runs with fsync off. */
export const isSynced = `(current_setting('fsync')::boolean OR coalesce(current_setting('neon.timeline_id', true), '') <> '')`
/** Why a server that does not meet it is of no use. */
export const FSYNC_OFF =
  'fsync is off: a crash of its machine would lose what was acknowledged, and could damage the rest.'

/** Adds entries with their bodies, what they are found by and where they go, in one statement. */
const addStatement = ({ isForwarded }: { readonly isForwarded: boolean }): string => `
    WITH given AS MATERIALIZED (
      SELECT nextval('entry_seq_seq') AS seq, *
      FROM json_to_recordset($1) AS given (
        position integer, event_id text, type text, shape text, account text, object_id text, lane text, snapshot_event_id text,
        livemode boolean, api_version text, created_ms double precision, route text, source text, secret text, state text, reason text, found_by json${isForwarded ? ', forwards json' : ''},
        body_start integer, body_bytes integer)
    ), added AS (
      INSERT INTO entry (seq, event_id, type, shape, account, object_id, lane, snapshot_event_id, livemode, api_version, created_at,
                         received_at, route, source, secret, state, ready, due_at, settled_at, reason, decision)
      SELECT seq, event_id, type, shape, account, object_id, lane, snapshot_event_id, livemode, api_version,
             to_timestamp(created_ms / 1000), now(), route, source, secret, state, state = 'pending', now(),
             CASE WHEN state <> 'pending' THEN now() END, reason, CASE WHEN state = 'handled' THEN 'null' END
      FROM given ORDER BY event_id COLLATE "C", seq
      ON CONFLICT (event_id) DO NOTHING
      RETURNING seq
    ), stored AS (
      INSERT INTO payload (seq, body)
      SELECT seq, substring($2::bytea FROM body_start FOR body_bytes) FROM given JOIN added USING (seq)
    ), searchable AS (
      INSERT INTO value (value, seq)
      SELECT DISTINCT found.value, seq FROM given JOIN added USING (seq) CROSS JOIN LATERAL json_array_elements_text(found_by) AS found
    )${isForwarded ? FORWARD : ''}
    SELECT position FROM given LEFT JOIN added ON added.seq = given.seq WHERE added.seq IS NULL`

const FORWARD = `, forwarded AS (
      INSERT INTO forward (seq, target, lane, hops, state, due_at, settled_at, reason)
      SELECT seq, target, CASE WHEN in_order THEN lane END, hops, CASE WHEN held IS NULL THEN 'pending' ELSE 'held' END, now(), CASE WHEN held IS NOT NULL THEN now() END, held
      FROM given JOIN added USING (seq) CROSS JOIN LATERAL json_to_recordset(forwards) AS forward (target text, hops integer, held text, in_order boolean)
      ORDER BY seq
    )`

/** Hot ones have a name, under which each connection prepares them once. Instants are the database's; durations come in milliseconds. */
export const sql = {
  /**
   * Rows in the order of their ids, so that two processes that add the same ones in another order never wait for each other in a
   * circle; `seq` keeps the order of arrival. Of equal ids in one batch the first wins. All start ready: a claim holds back
   * what has to wait for its lane. The rows it gives are the duplicates, which are few.
   */
  add: addStatement({ isForwarded: false }),
  /** The same where some are forwarded: the others do not pay for it. */
  addForwarded: addStatement({ isForwarded: true }),

  /** The first decision stands. */
  decide: `
    UPDATE entry
    SET decision = CASE WHEN decision IS NULL OR decision = 'null' THEN $2 ELSE decision END, state = 'handled',
        settled_at = coalesce(settled_at, now()), reason = CASE WHEN state = 'handled' THEN reason ELSE 'answered when it came again' END
    WHERE event_id = $1 AND (decision IS NOT NULL OR state NOT IN ('pending', 'running')) RETURNING decision`,

  /**
   * Of each lane the first due entry, unless the lane is running or another claim is just looking at it.
   * Rows without an owner are due entries that it passed over.
   */
  claim: `
    WITH due AS MATERIALIZED (
      SELECT seq, lane, due_at FROM entry
      WHERE ready AND due_at <= now() AND NOT EXISTS (SELECT 1 FROM note WHERE name = '${HOLD_NOTE}')
      ORDER BY due_at, seq LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED
    ), first AS MATERIALIZED (
      SELECT DISTINCT ON (lane) seq FROM due
      WHERE pg_try_advisory_xact_lock(${LANE_LOCKS}, hashtext(lane))
        AND (SELECT 1 FROM entry AS busy WHERE busy.state = 'running' AND busy.lane = due.lane) IS NULL
      ORDER BY lane, due_at, seq
    ), claimed AS (
      UPDATE entry
      SET state = 'running', ready = false, attempts = attempts + 1, owner = $1, started_at = now(),
          lease_until = now() + $2 * interval '1 millisecond'
      WHERE seq = ANY (ARRAY (SELECT seq FROM first))
      RETURNING *
    )
    SELECT claimed.*, (SELECT body FROM payload WHERE payload.seq = claimed.seq) AS body,
           (SELECT 1 FROM forward WHERE forward.seq = claimed.seq LIMIT 1) IS NOT NULL AS is_forwarded
    FROM due LEFT JOIN claimed USING (seq)
    ORDER BY due.due_at, seq`,
  /**
   * Of what the claim of this transaction took, those whose twin was handled, or a newer entry of their object. A statement of its
   * own, which sees what was settled until the rows were locked: the claim's own sight is older than that. A handled twin does not
   * count against the replay of what was handled, which asks for a second run, and supersedes nothing.
   */
  handledMeanwhile: `
    SELECT * FROM (
      SELECT seq,
             CASE WHEN NOT forced THEN coalesce(
               (SELECT event_id FROM entry AS twin
                WHERE twin.event_id = claimed.snapshot_event_id AND ${TWIN_WAS_HANDLED}),
               (SELECT event_id FROM entry AS twin
                WHERE twin.snapshot_event_id = claimed.event_id AND ${TWIN_WAS_HANDLED}
                LIMIT 1)) END AS handled_twin,
             (SELECT 1 FROM entry AS newer
              WHERE newer.object_id = claimed.object_id AND newer.seq > claimed.seq
                AND newer.state = 'handled' AND newer.reason IS NULL AND newer.account IS NOT DISTINCT FROM claimed.account
                AND newer.event_id IS DISTINCT FROM claimed.snapshot_event_id
                AND newer.snapshot_event_id IS DISTINCT FROM claimed.event_id
              LIMIT 1) IS NOT NULL AS is_superseded
      FROM entry AS claimed WHERE state = 'running' AND owner = $1 AND started_at = now()
    ) AS found WHERE handled_twin IS NOT NULL OR is_superseded`,

  /**
   * Takes due entries of busy lanes out of the claims' sight, so that the next claim does not meet them again. The share lock makes
   * the settling of the running entry wait, so that it sees whom to promote; what is settling already is left to the next time.
   */
  holdBack: `
    WITH head AS MATERIALIZED (
      SELECT seq, lane FROM entry WHERE ready AND due_at <= now() ORDER BY due_at, seq LIMIT $1
    ), waiting AS MATERIALIZED (
      SELECT due.seq FROM head
      CROSS JOIN LATERAL (SELECT 1 FROM entry WHERE state = 'running' AND lane = head.lane FOR SHARE SKIP LOCKED) AS busy
      CROSS JOIN LATERAL (SELECT seq FROM entry WHERE seq = head.seq AND owner IS NULL AND settled_at IS NULL
                          FOR NO KEY UPDATE SKIP LOCKED) AS due
    )
    UPDATE entry SET ready = false WHERE seq = ANY (ARRAY (SELECT seq FROM waiting)) RETURNING 1`,

  release: `
    UPDATE entry
    SET state = 'pending', ready = true, due_at = least(due_at, now()), attempts = entry.attempts - 1, owner = NULL, lease_until = NULL
    FROM unnest($2::bigint[], $3::integer[], $4::integer[]) AS given (seq, replays, attempt)
    WHERE entry.seq = ANY ($2::bigint[]) AND entry.seq = given.seq AND entry.owner = $1
      AND entry.replays = given.replays AND entry.attempts = given.attempt`,

  /** Guarded by owner, which only running entries have, replays and attempt: a lost lease settles nothing. */
  settle: `
    WITH given AS MATERIALIZED (
      SELECT * FROM json_to_recordset($2) AS given (
        seq bigint, replays integer, attempt integer, state text, retry_in_ms double precision, outcome text, reason text)
    ), settled AS (
      UPDATE entry
      SET state = given.state, ready = given.state = 'pending', due_at = now() + given.retry_in_ms * interval '1 millisecond',
          settled_at = CASE WHEN given.state <> 'pending' THEN now() END, reason = given.reason, owner = NULL, lease_until = NULL
      FROM given
      WHERE entry.seq = ANY ($3::bigint[]) AND entry.seq = given.seq AND entry.owner = $1
        AND entry.replays = given.replays AND entry.attempts = given.attempt
      RETURNING entry.seq, entry.replays, entry.attempts, entry.started_at, given.outcome, given.reason
    ), recorded AS (
      INSERT INTO attempt (seq, replay, number, started_at, ended_at, outcome, error)
      SELECT seq, replays, attempts, started_at, now(), outcome, reason FROM settled
    )
    SELECT seq FROM settled`,
  /**
   * The next of each lane takes its turn when the running one has settled. A statement of its own: in the settling one it would
   * not see what was held back while that one waited for its row.
   */
  promote: `
    WITH next AS MATERIALIZED (
      SELECT held.seq FROM (SELECT DISTINCT lane FROM entry WHERE seq = ANY ($1::bigint[])) AS settled
      CROSS JOIN LATERAL (SELECT seq FROM entry WHERE state = 'pending' AND NOT ready AND lane = settled.lane
                          ORDER BY due_at, seq LIMIT 1) AS held
    )
    UPDATE entry SET ready = true, due_at = least(due_at, now())
    WHERE seq = ANY (ARRAY (SELECT seq FROM next)) AND owner IS NULL AND settled_at IS NULL`,

  isAnyLeaseOver: `SELECT 1 FROM entry WHERE lease_until <= now() AND ${notHeld('$1', '$2')} LIMIT 1`,
  /**
   * But what this process still works on: it knows. Due at once after the first two losses, as most are a restart; later
   * ones wait at random, up to 10 s, 40 s … 6 h, so that an event which kills its process does not take those that run beside it
   * through all their attempts.
   */
  freeLostLeases: `
    WITH lost AS MATERIALIZED (
      SELECT seq, replays, attempts, started_at,
             (SELECT 1 + count(*) FROM attempt WHERE attempt.seq = entry.seq AND replay = entry.replays AND outcome = 'lost') AS losses
      FROM entry WHERE lease_until <= now() AND ${notHeld('$3', '$4')} LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
    ), recorded AS (
      INSERT INTO attempt (seq, replay, number, started_at, ended_at, outcome, error)
      SELECT seq, replays, attempts, started_at, now(), 'lost', $2 FROM lost
    )
    UPDATE entry
    SET state = 'pending', ready = true, reason = $2, owner = NULL, lease_until = NULL,
        due_at = now() + CASE WHEN losses < 3 THEN 0 ELSE random() * 10000 * 2 ^ least(2 * (losses - 3), 11) END * interval '1 millisecond'
    FROM lost WHERE entry.seq = ANY (ARRAY (SELECT seq FROM lost)) AND entry.seq = lost.seq
    RETURNING entry.seq, due_at > now() AS waits`,
  /**
   * Lets the first of each lane go on in which nothing runs: nothing else may, after a row was changed by hand, or a process ended
   * between two statements. Of the lanes of these event ids, or of all lanes for null.
   */
  letGo: `
    WITH next AS MATERIALIZED (
      SELECT first.seq FROM (SELECT DISTINCT lane FROM entry WHERE state = 'pending' AND NOT ready
                             AND ($1::text[] IS NULL OR lane = ANY (ARRAY (SELECT lane FROM entry WHERE event_id = ANY ($1))))) AS held
      CROSS JOIN LATERAL (SELECT seq FROM entry WHERE state = 'pending' AND NOT ready AND lane = held.lane
                          ORDER BY due_at, seq LIMIT 1) AS first
      WHERE NOT EXISTS (SELECT 1 FROM entry WHERE state = 'running' AND lane = held.lane)
    )
    UPDATE entry SET ready = true, due_at = least(due_at, now())
    WHERE seq = ANY (ARRAY (SELECT seq FROM next)) AND owner IS NULL AND settled_at IS NULL`,

  get: `
    SELECT entry.*, (SELECT body FROM payload WHERE payload.seq = entry.seq) AS body,
           (SELECT json_agg(attempt ORDER BY replay, number) FROM attempt WHERE attempt.seq = entry.seq) AS attempt_rows
    FROM entry WHERE event_id = $1`,

  lookUp: `
    SELECT event_id, type, state, EXISTS (SELECT 1 FROM payload WHERE payload.seq = entry.seq) AS has_body,
           decision IS NOT NULL AS is_answered
    FROM entry WHERE event_id = ANY ($1)`,

  /** By its object where it names one; else among the newest. */
  listLane: `
    WITH it AS MATERIALIZED (SELECT lane, object_id FROM entry WHERE event_id = $1)
    SELECT * FROM (
      SELECT entry.* FROM it JOIN entry ON entry.object_id = it.object_id AND entry.lane = it.lane
      UNION ALL
      SELECT entry.* FROM it JOIN entry ON entry.lane = it.lane
      WHERE it.object_id IS NULL AND entry.seq > (SELECT max(seq) FROM entry) - ${SEARCHED}
    ) AS found ORDER BY seq DESC LIMIT $2`,
  /** Where a search of $2 entries ends, before the id $1, and the ages $3 and $4 leave older ones; no row when it looks at all. It begins behind one that is there: numbers have gaps. */
  findSearched: `
    WITH asked AS MATERIALIZED (
      SELECT least((SELECT seq FROM entry WHERE event_id = $1),
                   CASE WHEN $4::double precision IS NOT NULL THEN (${findSeq(`now() - ($4 - 1) * interval '1 millisecond'`)}) END) AS high,
             coalesce(CASE WHEN $3::double precision IS NOT NULL THEN (${findSeq(`now() - $3 * interval '1 millisecond'`)}) END,
                      (SELECT min(seq) FROM entry)) AS first
    ), bounds AS MATERIALIZED (
      SELECT first, (SELECT max(seq) + 1 FROM entry WHERE high IS NULL OR seq < high) - $2::bigint AS low FROM asked
    )
    SELECT low AS seq, (SELECT event_id FROM entry WHERE seq >= low ORDER BY seq LIMIT 1) AS event_id
    FROM bounds WHERE EXISTS (SELECT 1 FROM entry WHERE seq >= first AND seq < low)`,

  /** Locks the bodies too, so that retention does not drop them meanwhile. */
  replay: `
    WITH given AS MATERIALIZED (
      SELECT entry.seq FROM entry JOIN payload USING (seq)
      WHERE event_id = ANY ($1) AND state = ANY ($2) AND state <> 'running' AND decision IS NULL
      ORDER BY entry.seq FOR NO KEY UPDATE OF entry FOR KEY SHARE OF payload
    )
    UPDATE entry
    SET forced = CASE WHEN state = 'pending' THEN forced ELSE state = 'handled' END,
        attempts = CASE WHEN state = 'pending' THEN attempts ELSE 0 END,
        replays = CASE WHEN state = 'pending' THEN replays ELSE replays + 1 END,
        ready = state <> 'pending' OR ready,
        due_at = CASE WHEN state = 'pending' THEN least(due_at, now()) ELSE now() END,
        state = 'pending', settled_at = NULL
    FROM given WHERE entry.seq = given.seq
    RETURNING event_id`,

  /** Looks at the $2 bodies after number $3, and the next at as many entries: both lie in order of arrival. */
  dropBodies: `
    WITH ${until}, looked AS MATERIALIZED (
      SELECT seq FROM payload WHERE seq > $3 AND seq < (${findSeq(UNTIL)}) ORDER BY seq LIMIT $2
    ), old AS MATERIALIZED (
      SELECT payload.seq FROM payload
      CROSS JOIN LATERAL (SELECT 1 FROM entry WHERE entry.seq = payload.seq AND settled_at < ${UNTIL}
                            AND state IN ('handled', 'unhandled')
                            AND NOT EXISTS (SELECT 1 FROM forward WHERE forward.seq = entry.seq AND forward.state NOT IN ('delivered', 'dropped'))
                          FOR SHARE SKIP LOCKED) AS settled
      WHERE payload.seq = ANY (ARRAY (SELECT seq FROM looked))
      FOR UPDATE OF payload SKIP LOCKED
    ), dropped AS (
      DELETE FROM payload WHERE seq = ANY (ARRAY (SELECT seq FROM old)) RETURNING 1
    )
    ${pruned}`,
  dropEntries: `
    WITH ${until}, looked AS MATERIALIZED (
      SELECT seq FROM entry WHERE seq > $3 AND seq < (${findSeq(UNTIL)}) ORDER BY seq LIMIT $2
    ), old AS MATERIALIZED (
      SELECT seq FROM entry WHERE seq = ANY (ARRAY (SELECT seq FROM looked)) AND settled_at < ${UNTIL}
        AND state IN ('handled', 'unhandled')
        AND NOT EXISTS (SELECT 1 FROM forward WHERE forward.seq = entry.seq AND forward.state NOT IN ('delivered', 'dropped'))
      FOR UPDATE SKIP LOCKED
    ), bodies AS (
      DELETE FROM payload WHERE seq = ANY (ARRAY (SELECT seq FROM old))
    ), attempts AS (
      DELETE FROM attempt WHERE seq = ANY (ARRAY (SELECT seq FROM old))
    ), searchable AS (
      DELETE FROM value WHERE seq = ANY (ARRAY (SELECT seq FROM old))
    ), forwards AS (
      DELETE FROM forward WHERE seq = ANY (ARRAY (SELECT seq FROM old))
    ), forward_attempts AS (
      DELETE FROM forward_attempt WHERE seq = ANY (ARRAY (SELECT seq FROM old))
    ), dropped AS (
      DELETE FROM entry WHERE seq = ANY (ARRAY (SELECT seq FROM old)) RETURNING account, type
    ), forgotten AS (
      DELETE FROM note WHERE name IN (SELECT prefix || account FROM dropped, (VALUES ('${ACCOUNT_NOTE}'), ('${THIN_ACCOUNT_NOTE}'), ('${CONTEXT_NOTE}')) AS prefixes (prefix)
                                      WHERE type IN ${DEAUTHORIZED})
    )
    ${pruned}`,

  /** What runs counts an attempt that was lost. The lanes go on by \`letGo\` in the same transaction. */
  park: `
    WITH given AS MATERIALIZED (
      SELECT seq, state, replays, attempts, started_at, event_id FROM entry
      WHERE event_id = ANY ($1) AND state IN ('pending', 'running') ORDER BY seq FOR NO KEY UPDATE
    ), recorded AS (
      INSERT INTO attempt (seq, replay, number, started_at, ended_at, outcome, error)
      SELECT seq, replays, attempts, started_at, now(), 'lost', $2 FROM given WHERE state = 'running'
    )
    UPDATE entry SET state = 'parked', ready = false, reason = $2, settled_at = now(), owner = NULL, lease_until = NULL
    FROM given WHERE entry.seq = given.seq RETURNING entry.event_id`,
  /** Settles what nobody dealt with as handled, with that reason: retention takes it in its turn, and a replay until then. */
  drop: `
    UPDATE entry SET state = 'handled', reason = $2, settled_at = now()
    WHERE event_id = ANY ($1) AND state IN ('dead', 'parked', 'unhandled') RETURNING event_id`,
  /** Of what nobody has dealt with, and retention leaves. */
  countUndealt: `
    SELECT count(*) AS entries, extract(epoch FROM now() - min(settled_at)) * 1000 AS oldest_ms
    FROM entry WHERE state IN ('dead', 'parked')`,

  /**
   * Steps from account to account in the index, and reads no more of each than its deauthorizations; of one that left, it steps from type
   * to type, and reads what came since. Seconds: snapshots tell no more.
   */
  listAccounts: `
    WITH RECURSIVE known (account) AS (
      SELECT min(account) FROM entry WHERE account IS NOT NULL
      UNION ALL
      SELECT (SELECT min(account) FROM entry WHERE account IS NOT NULL AND account > known.account) FROM known WHERE known.account IS NOT NULL
    )
    SELECT account FROM (
      SELECT account FROM known WHERE starts_with(account, 'acct_')
      UNION SELECT substr(name, length('${ACCOUNT_NOTE}') + 1) FROM note WHERE starts_with(name, '${ACCOUNT_NOTE}acct_')
      UNION SELECT substr(name, length('${THIN_ACCOUNT_NOTE}') + 1) FROM note WHERE starts_with(name, '${THIN_ACCOUNT_NOTE}acct_')
    ) AS known
    CROSS JOIN LATERAL (SELECT max(coalesce(created_at, received_at)) AS left_at FROM entry
                        WHERE entry.account = known.account AND type IN ${DEAUTHORIZED}) AS deauthorized
    WHERE left_at IS NULL OR EXISTS (
      SELECT 1 FROM (${findSeq(`deauthorized.left_at - ${CLOCKS_APART_MS} * interval '1 millisecond'`)}) AS first (seq)
      JOIN entry ON entry.account = known.account AND entry.seq >= first.seq
      WHERE entry.type NOT IN ${DEAUTHORIZED} AND date_trunc('second', created_at) > date_trunc('second', left_at))`,
  /**
   * Each state but `handled` has partial indexes, two for what is pending; the handled ones are what remains of all. With $1 false,
   * all are Postgres's own estimate once they are more than a million, which vacuuming keeps within a few percent: counting two
   * million takes 95 ms.
   */
  countStates: `
    SELECT 'pending' AS state, (SELECT count(*) FROM entry WHERE ready) + (SELECT count(*) FROM entry WHERE state = 'pending' AND NOT ready) AS entries
    UNION ALL SELECT 'running', count(*) FROM entry WHERE state = 'running'
    UNION ALL SELECT state, count(*) FROM entry WHERE state IN ('unhandled', 'parked', 'dead') GROUP BY state
    UNION ALL SELECT 'all', CASE WHEN $1 OR reltuples < 1e6 THEN (SELECT count(*) FROM entry) ELSE reltuples END
              FROM pg_class WHERE oid = 'entry'::regclass`,
  getOldestDue: `
    SELECT extract(epoch FROM now() - min(due_at)) * 1000 AS oldest_ms FROM entry WHERE ready AND due_at <= now()`,

  /** Fails where nothing can be written: on a standby, or a primary that was demoted. */
  check: `SELECT ${isSynced} AS is_synced, (SELECT seq FROM entry WHERE seq = 0 FOR UPDATE) AS nothing`,
  fillProbe: 'INSERT INTO write_probe (filler) VALUES ($1)',
  emptyProbe: 'DELETE FROM write_probe',
}
