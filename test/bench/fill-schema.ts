import type { PostgresSchema } from '../support/plan-schema.ts'
import { flushPostgres } from './bench-postgres.ts'
import { IDS_PER_SECOND } from './deliveries.ts'
import type { Filling } from './fill-inbox.ts'

/** As `fillInbox` in a file, with a lane for each. Due a millisecond after each other, the last one now. */
export async function fillSchema(
  schema: PostgresSchema,
  { count, state, hasBodies = true }: Pick<Filling, 'count' | 'state' | 'hasBodies'>,
): Promise<void> {
  const [found] = await schema.query(
    'SELECT min(seq) AS template, (SELECT max(seq) FROM entry) AS after FROM entry WHERE state = $1',
    [state],
  )
  if (found?.template == null) throw new Error(`the schema has no ${state} entry`)
  const values = [count, found.template, found.after]
  await schema.query(await multiply(schema, 'entry', entryColumns), values)
  if (hasBodies) await schema.query(await multiply(schema, 'payload'), values)
  await schema.query(await multiply(schema, 'attempt'), values)
  await schema.query(`SELECT setval(pg_get_serial_sequence('entry', 'seq'), max(seq)) FROM entry`)
  // As a server leaves it that is up for a while: pages marked, statistics there.
  await schema.query('VACUUM ANALYZE entry, payload, attempt')
  await flushPostgres(schema)
}

/** What differs from entry to entry. */
const entryColumns = {
  event_id: `'evt_' || id`,
  object_id: `'pi_' || id`,
  lane: `'/pi_' || id`,
  received_at: `now() - ($1 - i) * interval '1 millisecond'`,
  due_at: `now() - ($1 - i) * interval '1 millisecond'`,
}

/** SQL that adds $1 copies of the rows of entry $2, with sequence numbers after $3. */
async function multiply(
  { query }: PostgresSchema,
  table: string,
  columns: Readonly<Record<string, string>> = {},
): Promise<string> {
  const expressions: Readonly<Record<string, string>> = { ...columns, seq: '$3::bigint + i' }
  const found = await query(
    'SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1',
    [table],
  )
  const names = found.map(({ column_name }) => String(column_name))
  return `
    INSERT INTO ${table} (${names.join()})
    SELECT ${names.map((name) => expressions[name] ?? `model.${name}`).join()}
    FROM (
      -- As in the loads, ids that were made together sort together, in no order.
      SELECT i, '3' || lpad((i / ${IDS_PER_SECOND})::text, 5, '0') || md5(random()::text) AS id
      FROM generate_series(1, $1::integer) AS i
    ) AS given CROSS JOIN (SELECT * FROM ${table} WHERE seq = $2) AS model`
}
