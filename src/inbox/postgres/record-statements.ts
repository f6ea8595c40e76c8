import { HOLD_NOTE } from '../inbox.ts'

/** As the statements of entries: what processes and operators keep beside them. None of it is hot, so none has a name. */
export const recordSql = {
  readNote: 'SELECT value FROM note WHERE name = $1',
  writeNote: 'INSERT INTO note (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  hold: `
    INSERT INTO note (name, value) VALUES ('${HOLD_NOTE}', json_build_object('who', $1::text, 'reason', $2::text, 'at', extract(epoch FROM now()) * 1000)::text)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
  resume: `DELETE FROM note WHERE name = '${HOLD_NOTE}'`,
  getHold: `SELECT value, extract(epoch FROM now()) * 1000 AS now FROM note WHERE name = '${HOLD_NOTE}'`,
  insertFigures: 'INSERT INTO figures (at, counted) VALUES (now(), $1)',
  dropFigures: `DELETE FROM figures WHERE at < now() - $1 * interval '1 millisecond'`,
  listFigures: `SELECT at, counted FROM figures WHERE at >= now() - $1 * interval '1 millisecond' ORDER BY at`,
  insertAction: 'INSERT INTO action (at, state, facts) VALUES (now(), $1, $2) RETURNING id',
  updateAction: `UPDATE action SET state = $2, facts = coalesce($3::jsonb, facts) WHERE id = $1 AND state = 'running' RETURNING 1`,
  dropActions: `DELETE FROM action WHERE at < now() - $1 * interval '1 millisecond' AND state <> 'running'`,
  listActions: 'SELECT id, at, state, facts FROM action WHERE id < $2 ORDER BY id DESC LIMIT $1',
  listActionsIn: 'SELECT id, at, state, facts FROM action WHERE id < $2 AND state = $3 ORDER BY id DESC LIMIT $1',
  takeTurn: `
    INSERT INTO note (name, owner, until) VALUES ($1, $2, now() + $3 * interval '1 millisecond')
    ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until WHERE note.owner = excluded.owner OR note.until <= now()
    RETURNING 1`,
}
