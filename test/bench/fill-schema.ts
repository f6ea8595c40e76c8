import { openPostgresInbox } from '../../src/inbox/postgres/inbox.ts'
import { newEntry } from '../support/new-entry.ts'
import type { PostgresSchema } from '../support/plan-schema.ts'
import { flushPostgres } from './bench-inbox.ts'
import { IDS_PER_SECOND } from './deliveries.ts'

/** Makes an inbox with that many entries and one more, all of them waiting. Copies of one that went through the store, as in files. */
export async function fillSchema(schema: PostgresSchema, count: number): Promise<void> {
  const inbox = await openPostgresInbox(schema.url, 'server')
  await inbox.add(newEntry())
  await inbox.close()
  await schema.query(multiply, [count])
  // As a server leaves it that is up for a while: pages marked, statistics there.
  await schema.query('VACUUM ANALYZE entry, payload')
  await flushPostgres(schema)
}

/** Due a millisecond after each other. As in the loads, ids that were made together sort together, in no order. */
const multiply = `
  WITH given AS MATERIALIZED (
    SELECT nextval('entry_seq_seq') AS seq, '3' || lpad((i / ${IDS_PER_SECOND})::text, 5, '0') || md5(random()::text) AS id,
           now() - ($1 - i) * interval '1 millisecond' AS due_at
    FROM generate_series(1, $1::integer) AS i
  ), entries AS (
    INSERT INTO entry
    SELECT copy.* FROM entry AS model CROSS JOIN given CROSS JOIN jsonb_populate_record(model, jsonb_build_object(
      'seq', given.seq, 'event_id', 'evt_' || id, 'object_id', 'pi_' || id, 'lane', '/pi_' || id, 'received_at', given.due_at, 'due_at', given.due_at)) AS copy
  )
  INSERT INTO payload SELECT seq, body FROM given CROSS JOIN (SELECT body FROM payload) AS model`
