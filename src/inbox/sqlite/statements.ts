import type { DatabaseSync } from 'node:sqlite'
import { ACCOUNT_NOTE, CONTEXT_NOTE, DEAUTHORIZED, HOLD_NOTE, THIN_ACCOUNT_NOTE } from '../inbox.ts'
import { TWIN_WAS_HANDLED } from '../rows.ts'
import { prepareForwardStatements } from './forward-statements.ts'
import { prepareSeqSearch } from './seq.ts'

/**
 * Every statement that writes, prepared once. Parameters are named as the columns they are for, `now` is in milliseconds; those of
 * what runs for each event are numbered, because looking names up took a quarter of an add's time. `0 +` keeps SQLite from planning
 * a statement anew for each value of its limit.
 */
export type Statements = ReturnType<typeof prepareStatements>

export function prepareStatements(db: DatabaseSync) {
  const statements = {
    /** Ready unless its lane has work to wait for: what has to wait never burdens a claim. */
    insertEntry: db.prepare(`
      INSERT INTO entry (event_id, type, shape, account, object_id, lane, snapshot_event_id, livemode, api_version, created_at,
                         route, source, secret, state, reason, received_at, ready, due_at, settled_at, decision)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
              ?14 = 'pending'
              AND NOT EXISTS (SELECT 1 FROM entry WHERE state = 'running' AND lane = ?6)
              AND NOT EXISTS (SELECT 1 FROM entry WHERE state = 'pending' AND lane = ?6 AND (ready = 0 OR due_at <= ?16)),
              ?16, iif(?14 = 'pending', NULL, ?16), iif(?14 = 'handled', 'null', NULL))
      ON CONFLICT (event_id) DO NOTHING`),
    /** As if it had been claimed at once; nothing when its lane has work, when its twin is here, or when the id is known. */
    insertLeased: db.prepare(`
      INSERT INTO entry (event_id, type, shape, account, object_id, lane, snapshot_event_id, livemode, api_version, created_at,
                         route, source, secret, state, reason, received_at, ready, due_at, attempts, owner, started_at)
      SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 'running', ?15, ?16, 0, ?16, 1, ?17, ?16
      WHERE ?14 = 'pending'
        AND NOT EXISTS (SELECT 1 FROM entry WHERE state = 'running' AND lane = ?6)
        AND NOT EXISTS (SELECT 1 FROM entry WHERE state = 'pending' AND lane = ?6 AND (ready = 0 OR due_at <= ?16))
        AND NOT EXISTS (SELECT 1 FROM entry WHERE snapshot_event_id = ?1)
        AND (?7 IS NULL OR NOT EXISTS (SELECT 1 FROM entry WHERE event_id = ?7))
      ON CONFLICT (event_id) DO NOTHING`),
    insertPayload: db.prepare('INSERT INTO payload (seq, body) VALUES (?1, ?2)'),
    insertValue: db.prepare('INSERT OR IGNORE INTO value (value, seq) VALUES (?1, ?2)'),

    /** The first decision stands. */
    decide: db.prepare(`
      UPDATE entry
      SET decision = iif(decision IS NULL OR decision = 'null', ?2, decision), state = 'handled', settled_at = coalesce(settled_at, ?3),
          reason = iif(state = 'handled', reason, 'answered when it came again')
      WHERE event_id = ?1 AND (decision IS NOT NULL OR state NOT IN ('pending', 'running')) RETURNING decision`),

    isHeld: db.prepare(`SELECT 1 FROM note WHERE name = '${HOLD_NOTE}'`),

    isAnyDue: db.prepare(`SELECT 1 FROM entry WHERE ready = 1 AND due_at <= :now LIMIT 1`),
    /**
     * OR IGNORE: an entry whose lane is running hits the unique index and stays as it is. A handled twin does not
     * count against the replay of what was handled, which asks for a second run. Its own twin supersedes nothing.
     */
    claim: db.prepare(`
      UPDATE OR IGNORE entry
      SET state = 'running', ready = 0, attempts = attempts + 1, owner = :owner, started_at = :now
      WHERE seq IN (SELECT seq FROM entry WHERE ready = 1 AND due_at <= :now ORDER BY due_at, seq LIMIT 0 + :limit)
      RETURNING seq, attempts, replays, event_id, type, shape, account, object_id, lane, snapshot_event_id, livemode, api_version, created_at,
                received_at, route, source, secret, reason, (SELECT body FROM payload WHERE payload.seq = entry.seq) AS body,
                coalesce((SELECT event_id FROM entry AS twin
                          WHERE entry.forced = 0 AND twin.event_id = entry.snapshot_event_id AND ${TWIN_WAS_HANDLED}),
                         (SELECT event_id FROM entry AS twin
                          WHERE entry.forced = 0 AND twin.snapshot_event_id = entry.event_id AND ${TWIN_WAS_HANDLED})
                ) AS handled_twin,
                EXISTS (SELECT 1 FROM entry AS newer INDEXED BY entry_object
                        WHERE newer.object_id = entry.object_id AND newer.seq > entry.seq
                          AND newer.state = 'handled' AND newer.reason IS NULL AND newer.account IS entry.account
                          AND newer.event_id IS NOT entry.snapshot_event_id AND newer.snapshot_event_id IS NOT entry.event_id
                ) AS is_superseded,
                EXISTS (SELECT 1 FROM forward WHERE forward.seq = entry.seq) AS is_forwarded`),
    /** Takes due entries of busy lanes out of the claims' sight, so that the next claim does not meet them again. */
    holdBack: db.prepare(`
      UPDATE entry SET ready = 0
      WHERE seq IN (SELECT due.seq FROM entry AS due
                    WHERE due.ready = 1 AND due.due_at <= :now
                      AND EXISTS (SELECT 1 FROM entry AS busy WHERE busy.state = 'running' AND busy.lane = due.lane)
                    ORDER BY due.due_at, due.seq LIMIT 0 + :limit)`),

    release: db.prepare(`
      UPDATE entry SET state = 'pending', ready = 1, due_at = min(due_at, ?5), attempts = attempts - 1, owner = NULL
      WHERE seq = ?1 AND state = 'running' AND owner = ?2 AND replays = ?3 AND attempts = ?4`),

    recordAttempt: db.prepare(`
      INSERT INTO attempt (seq, replay, number, started_at, ended_at, outcome, error)
      SELECT seq, replays, attempts, started_at, ?5, ?6, ?7 FROM entry
      WHERE seq = ?1 AND state = 'running' AND owner = ?2 AND replays = ?3 AND attempts = ?4`),
    settle: db.prepare(`
      UPDATE entry
      SET state = ?2, ready = ?2 = 'pending', due_at = ?3, settled_at = ?4, reason = ?5, owner = NULL
      WHERE seq = ?1`),
    /** The next of the entry's lane takes its turn when that one has settled, or waits for its time. */
    promoteNext: db.prepare(`
      UPDATE entry SET ready = 1, due_at = min(due_at, ?2)
      WHERE seq = (SELECT seq FROM entry WHERE state = 'pending' AND lane = (SELECT lane FROM entry WHERE seq = ?1) AND ready = 0
                   ORDER BY due_at, seq LIMIT 1)`),
    /**
     * Lets the first of each lane go on in which nothing runs or is due: a lost one may wait there, or a row was changed by hand. Of
     * all lanes when :event_id is null.
     */
    letGo: db.prepare(`
      UPDATE entry SET ready = 1, due_at = min(due_at, :now)
      WHERE seq IN (SELECT (SELECT seq FROM entry WHERE state = 'pending' AND lane = held.lane AND ready = 0 ORDER BY due_at, seq LIMIT 1)
                    FROM (SELECT DISTINCT lane FROM entry WHERE state = 'pending' AND ready = 0 AND (:event_id IS NULL OR event_id = :event_id)) AS held
                    WHERE NOT EXISTS (SELECT 1 FROM entry WHERE state = 'running' AND lane = held.lane)
                      AND NOT EXISTS (SELECT 1 FROM entry WHERE state = 'pending' AND lane = held.lane AND ready = 1 AND due_at <= :now))`),

    recordLostAttempts: db.prepare(`
      INSERT INTO attempt (seq, replay, number, started_at, ended_at, outcome, error)
      SELECT seq, replays, attempts, started_at, :now, 'lost', :reason FROM entry
      WHERE state = 'running' AND NOT (owner = :owner AND seq || ':' || replays || ':' || attempts IN (SELECT value FROM json_each(:held)))`),
    /**
     * Due at once after the first two losses, as most are a restart; later ones wait at random, up to 10 s, 40 s … 6 h, so that an
     * event which kills its process does not take those that run beside it through all their attempts. Each with its recorded losses.
     */
    freeLostLeases: db.prepare(`
      UPDATE entry SET state = 'pending', ready = 1, reason = :reason, owner = NULL,
        due_at = :now + coalesce((SELECT iif(count(*) < 3, 0, abs(random()) % (10000 << min(2 * (count(*) - 3), 11))) FROM attempt
                                  WHERE attempt.seq = entry.seq AND replay = entry.replays AND outcome = 'lost'), 0)
      WHERE state = 'running' AND NOT (owner = :owner AND seq || ':' || replays || ':' || attempts IN (SELECT value FROM json_each(:held)))`),
    /** Instants after the present are of a clock that has been set back since: what waits does so for as long as it was meant to. */
    bringToPresent: db.prepare(`
      UPDATE entry SET due_at = ?1 + due_at - meant.since
      FROM (SELECT seq, coalesce((SELECT ended_at FROM attempt WHERE attempt.seq = entry.seq AND replay = entry.replays
                                  ORDER BY number DESC LIMIT 1), due_at) AS since
            FROM entry WHERE ready = 1 AND due_at > ?1) AS meant
      WHERE entry.seq = meant.seq AND meant.since > ?1`),
    /** So that the next start does not bring them there once more. */
    bringAttemptsToPresent: db.prepare(`
      UPDATE attempt SET ended_at = ?1
      WHERE seq IN (SELECT seq FROM entry WHERE ready = 1 AND due_at > ?1) AND ended_at > ?1`),

    /** Ready as on arrival: thousands of one lane do not hold up the others. */
    replay: db.prepare(`
      UPDATE entry
      SET forced = iif(state = 'pending', forced, state = 'handled'), attempts = iif(state = 'pending', attempts, 0), replays = iif(state = 'pending', replays, replays + 1),
          ready = iif(state = 'pending', ready,
                      NOT EXISTS (SELECT 1 FROM entry AS busy WHERE busy.state = 'running' AND busy.lane = entry.lane)
                      AND NOT EXISTS (SELECT 1 FROM entry AS other WHERE other.state = 'pending' AND other.lane = entry.lane
                                      AND (other.ready = 0 OR other.due_at <= :now))),
          due_at = iif(state = 'pending', min(due_at, :now), :now),
          state = 'pending', settled_at = NULL
      WHERE event_id = :event_id AND state <> 'running' AND state IN (SELECT value FROM json_each(:states)) AND decision IS NULL
        AND EXISTS (SELECT 1 FROM payload WHERE payload.seq = entry.seq)`),

    recordParked: db.prepare(`
      INSERT INTO attempt (seq, replay, number, started_at, ended_at, outcome, error)
      SELECT seq, replays, attempts, started_at, :now, 'lost', :reason FROM entry WHERE event_id = :event_id AND state = 'running'`),
    park: db.prepare(`
      UPDATE entry SET state = 'parked', ready = 0, reason = :reason, settled_at = :now, owner = NULL
      WHERE event_id = :event_id AND state IN ('pending', 'running') RETURNING seq`),
    /** Settles what nobody dealt with as handled, with that reason: retention takes it in its turn, and a replay until then. */
    drop: db.prepare(`
      UPDATE entry SET state = 'handled', reason = :reason, settled_at = :now
      WHERE event_id = :event_id AND state IN ('dead', 'parked', 'unhandled')`),

    writeNote: db.prepare(`
      INSERT INTO note (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value`),
    dropNote: db.prepare('DELETE FROM note WHERE name = ?'),
    insertFigures: db.prepare('INSERT INTO figures (at, counted) VALUES (?, ?)'),
    dropFigures: db.prepare('DELETE FROM figures WHERE at < ?'),
    insertAction: db.prepare('INSERT INTO action (at, state, facts) VALUES (?, ?, ?)'),
    updateAction: db.prepare(
      `UPDATE action SET state = ?2, facts = coalesce(?3, facts) WHERE id = ?1 AND state = 'running'`,
    ),
    dropActions: db.prepare(`DELETE FROM action WHERE at < ? AND state <> 'running'`),
    takeTurn: db.prepare(`
      INSERT INTO note (name, owner, until) VALUES (:name, :owner, :now + :for_ms)
      ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until WHERE note.owner = excluded.owner OR note.until <= :now`),

    findSeq: prepareSeqSearch(db),
    findNewestArrival: db.prepare('SELECT received_at FROM entry ORDER BY seq DESC LIMIT 1'),
    /** The last of those that one step of retention looks at, when there are as many; bodies and entries lie in order of arrival. */
    findLastBody: db.prepare(
      'SELECT seq FROM payload WHERE seq > :after AND seq < :before ORDER BY seq LIMIT 1 OFFSET 0 + :skip',
    ),
    findLastEntry: db.prepare(
      'SELECT seq FROM entry WHERE seq > :after AND seq < :before ORDER BY seq LIMIT 1 OFFSET 0 + :skip',
    ),
    dropBodies: db.prepare(`
      DELETE FROM payload
      WHERE seq > :after AND seq <= :last
        AND EXISTS (SELECT 1 FROM entry WHERE entry.seq = payload.seq AND settled_at < :until AND state IN ('handled', 'unhandled'))
        AND NOT EXISTS (SELECT 1 FROM forward WHERE forward.seq = payload.seq AND forward.state NOT IN ('delivered', 'dropped'))`),
    forgetAccounts: db.prepare(`
      DELETE FROM note
      WHERE name IN (SELECT prefix.column1 || account FROM (VALUES ('${ACCOUNT_NOTE}'), ('${THIN_ACCOUNT_NOTE}'), ('${CONTEXT_NOTE}')) AS prefix, entry
                     WHERE seq > :after AND seq <= :last AND settled_at < :until AND state IN ('handled', 'unhandled')
                       AND type IN ${DEAUTHORIZED})`),
    dropEntries: db.prepare(`
      DELETE FROM entry WHERE seq > :after AND seq <= :last AND settled_at < :until AND state IN ('handled', 'unhandled')
        AND NOT EXISTS (SELECT 1 FROM forward WHERE forward.seq = entry.seq AND forward.state NOT IN ('delivered', 'dropped'))`),

    forwards: prepareForwardStatements(db),

    /** How many pages the log holds, and how many of them the file has too. */
    measureLog: db.prepare('PRAGMA wal_checkpoint(NOOP)'),
    checkpoint: db.prepare('PRAGMA wal_checkpoint(PASSIVE)'),

    fillProbe: db.prepare('INSERT INTO write_probe (filler) VALUES (zeroblob(65536))'),
    emptyProbe: db.prepare('DELETE FROM write_probe'),
    isReadable: db.prepare('SELECT 1 FROM entry LIMIT 1'),
  }
  return statements
}
