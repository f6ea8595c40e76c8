import type { PostgresSchema } from '../support/plan-schema.ts'
import { flushPostgres } from './bench-postgres.ts'
import { IDS_PER_SECOND } from './deliveries.ts'
import type { Filling } from './fill-inbox.ts'

/** As `fillInbox` in a file, with a lane for each. Due a millisecond after each other, the last one now. */
export async function fillSchema(
  schema: PostgresSchema,
  { count, state, hasBodies = true }: Pick<Filling, 'count' | 'state' | 'hasBodies'>,
): Promise<void> {
  const [template] = await schema.query('SELECT min(seq) AS seq FROM entry WHERE state = $1', [state])
  if (template?.seq == null) throw new Error(`the schema has no ${state} entry`)
  await schema.query(multiply, [count, template.seq, hasBodies])
  // As a server leaves it that is up for a while: pages marked, statistics there.
  await schema.query('VACUUM ANALYZE entry, payload, attempt')
  await flushPostgres(schema)
}

/** As in the loads, ids that were made together sort together, in no order. */
const multiply = `
  WITH given AS MATERIALIZED (
    SELECT nextval('entry_seq_seq') AS seq, '3' || lpad((i / ${IDS_PER_SECOND})::text, 5, '0') || md5(random()::text) AS id,
           now() - ($1 - i) * interval '1 millisecond' AS due_at
    FROM generate_series(1, $1::integer) AS i
  ), entries AS (
    INSERT INTO entry
    SELECT copy.* FROM entry AS model CROSS JOIN given CROSS JOIN jsonb_populate_record(model, jsonb_build_object(
      'seq', given.seq, 'event_id', 'evt_' || id, 'object_id', 'pi_' || id, 'lane', '/pi_' || id, 'received_at', given.due_at, 'due_at', given.due_at)) AS copy
    WHERE model.seq = $2
  ), attempts AS (
    INSERT INTO attempt
    SELECT copy.* FROM attempt AS model CROSS JOIN given CROSS JOIN jsonb_populate_record(model, jsonb_build_object('seq', given.seq)) AS copy
    WHERE model.seq = $2
  )
  INSERT INTO payload SELECT given.seq, body FROM given CROSS JOIN payload AS model WHERE model.seq = $2 AND $3`
