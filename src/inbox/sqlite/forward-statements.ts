import type { DatabaseSync } from 'node:sqlite'

/** No retry waits for longer: what is due later is so by a clock that has been set back since. */
const LONGEST_WAIT_MS = 8 * 3_600_000

const notHeld = `NOT (owner = :owner AND seq || ':' || target || ':' || replays || ':' || attempts IN (SELECT value FROM json_each(:held)))`

/** Condition that another forward of its lane runs, or an earlier one waits, perhaps for a retry. */
const waitsForItsLane = `(
    EXISTS (SELECT 1 FROM forward AS busy WHERE busy.target = due.target AND busy.lane = due.lane AND busy.owner IS NOT NULL)
    OR EXISTS (SELECT 1 FROM forward AS busy WHERE busy.target = due.target AND busy.lane = due.lane AND busy.settled_at IS NULL AND busy.seq < due.seq))`

export type ForwardStatements = ReturnType<typeof prepareForwardStatements>

/** Every statement that writes forwards, as `prepareStatements` has those of entries. */
export function prepareForwardStatements(db: DatabaseSync) {
  return {
    insert: db.prepare(`
      INSERT INTO forward (seq, target, hops, state, due_at, settled_at, reason, lane)
      VALUES (?1, ?2, ?3, iif(?4 IS NULL, 'pending', 'held'), ?6, iif(?4 IS NULL, NULL, ?6), ?4, iif(?5, (SELECT lane FROM entry WHERE seq = ?1), NULL))
      ON CONFLICT (seq, target) DO NOTHING`),
    isAnyDue: db.prepare(`
      SELECT 1 FROM forward WHERE state = 'pending' AND state <> 'delivered' AND target = ?1 AND ready = 1 AND due_at <= ?2 LIMIT 1`),
    /** All start ready: what has to wait for its lane is passed over here, and held back. */
    claim: db.prepare(`
      UPDATE forward SET state = 'running', attempts = attempts + 1, owner = ?1, started_at = ?3
      WHERE target = ?2 AND seq IN (SELECT seq FROM (SELECT seq, target, lane FROM forward
                                                     WHERE state = 'pending' AND state <> 'delivered' AND target = ?2 AND ready = 1 AND due_at <= ?3
                                                     ORDER BY due_at, seq LIMIT 0 + ?4) AS due
                                    WHERE lane IS NULL OR NOT ${waitsForItsLane})
      RETURNING seq, target, lane, hops, attempts, replays, reason`),
    /** Takes what waits for its lane out of the claims' sight, so that the next claim does not meet it again. */
    holdBack: db.prepare(`
      UPDATE forward SET ready = 0
      WHERE target = ?1 AND seq IN (SELECT seq FROM (SELECT seq, target, lane FROM forward
                                                     WHERE state = 'pending' AND state <> 'delivered' AND target = ?1 AND ready = 1 AND due_at <= ?2
                                                     ORDER BY due_at, seq LIMIT 0 + ?3) AS due
                                    WHERE lane IS NOT NULL AND ${waitsForItsLane})`),
    getEntry: db.prepare(`
      SELECT event_id, type, account, received_at, (SELECT body FROM payload WHERE payload.seq = entry.seq) AS body
      FROM entry WHERE seq = ?`),

    recordAttempt: db.prepare(`
      INSERT INTO forward_attempt (seq, target, replay, number, started_at, ended_at, outcome, status, error, answer)
      SELECT seq, target, replays, attempts, started_at, ?6, ?7, ?8, ?9, ?10 FROM forward
      WHERE seq = ?1 AND target = ?2 AND state = 'running' AND owner = ?3 AND replays = ?4 AND attempts = ?5`),
    settle: db.prepare(`
      UPDATE forward SET state = ?3, due_at = ?4, settled_at = ?5, reason = ?6, owner = NULL WHERE seq = ?1 AND target = ?2`),
    /** The first of the lane that waits takes its turn. */
    promoteNext: db.prepare(`
      UPDATE forward SET ready = 1, due_at = ?3
      WHERE target = ?1 AND ready = 0
        AND seq = (SELECT seq FROM forward WHERE target = ?1 AND lane = ?2 AND settled_at IS NULL ORDER BY seq LIMIT 1)`),
    /** The same in all lanes: a lost one may have held up an earlier one that was replayed, or a row was changed by hand. */
    letGo: db.prepare(`
      UPDATE forward SET ready = 1, due_at = ?1
      FROM (SELECT DISTINCT target, lane FROM forward WHERE state = 'pending' AND state <> 'delivered' AND ready = 0) AS held
      WHERE forward.target = held.target AND forward.ready = 0
        AND forward.seq = (SELECT seq FROM forward AS next
                           WHERE next.target = held.target AND next.lane = held.lane AND next.settled_at IS NULL ORDER BY seq LIMIT 1)`),

    recordLostAttempts: db.prepare(`
      INSERT INTO forward_attempt (seq, target, replay, number, started_at, ended_at, outcome, error)
      SELECT seq, target, replays, attempts, started_at, :now, 'lost', :reason FROM forward
      WHERE state = 'running' AND state <> 'delivered' AND ${notHeld}`),
    freeLostLeases: db.prepare(`
      UPDATE forward SET state = 'pending', reason = :reason, owner = NULL, due_at = :now
      WHERE state = 'running' AND state <> 'delivered' AND ${notHeld}`),
    bringToPresent: db.prepare(`
      UPDATE forward SET due_at = ?1 WHERE state = 'pending' AND state <> 'delivered' AND due_at > ?1 + ${LONGEST_WAIT_MS}`),

    findWithBody: db.prepare(
      'SELECT seq FROM entry WHERE event_id = ? AND EXISTS (SELECT 1 FROM payload WHERE payload.seq = entry.seq)',
    ),
    takeUnhandled: db.prepare(`UPDATE entry SET state = 'handled', reason = ?2 WHERE seq = ?1 AND state = 'unhandled'`),
    replay: db.prepare(`
      UPDATE forward
      SET attempts = iif(state = 'pending', attempts, 0), replays = iif(state = 'pending', replays, replays + 1),
          due_at = iif(state = 'pending', min(due_at, :now), :now), settled_at = NULL, state = 'pending'
      WHERE target = :target AND state <> 'running' AND state IN (SELECT value FROM json_each(:states)) AND seq = :seq`),
    hasten: db.prepare(`
      UPDATE forward SET due_at = ?2
      WHERE target = ?1 AND seq IN (SELECT seq FROM forward
                                    WHERE state = 'pending' AND state <> 'delivered' AND target = ?1 AND ready = 1 AND due_at > ?2
                                    ORDER BY due_at LIMIT 0 + ?3)`),
    drop: db.prepare(`
      UPDATE forward SET state = 'dropped', settled_at = :now, reason = :reason, ready = 1
      WHERE target = :target AND state IN ('pending', 'dead', 'held') AND state IN (SELECT value FROM json_each(:states))
        AND seq = (SELECT seq FROM entry WHERE event_id = :event_id)
      RETURNING lane`),
    writeState: db.prepare(`
      INSERT INTO target (name, state, version) SELECT ?1, ?2, 1 WHERE ?3 = 0 OR EXISTS (SELECT 1 FROM target WHERE name = ?1)
      ON CONFLICT (name) DO UPDATE SET state = excluded.state, version = target.version + 1 WHERE target.version = ?3`),
  }
}
