import type { PostgresSchema } from '../support/plan-schema.ts'
import { flushPostgres } from './bench-postgres.ts'
import { IDS_PER_SECOND } from './deliveries.ts'
import type { Filling } from './fill-inbox.ts'
import { addValues, DROP_BODIES, EVERY_MS, pickTemplate, variedColumns } from './varied-entries.ts'

/** As `fillInbox` in a file, with a lane for each. Due a millisecond after each other, the last one now. */
export async function fillSchema(
  schema: PostgresSchema,
  { count, state }: Pick<Filling, 'count' | 'state'>,
): Promise<void> {
  const [found] = await schema.query('SELECT min(seq) AS template FROM entry WHERE state = $1', [state])
  if (found?.template == null) throw new Error(`the schema has no ${state} entry`)
  await multiplyAll(schema, { count, everyMs: 1, template: String(found.template), columns: waitingColumns })
  await finish(schema)
}

/** As `fillVariedInbox` in a file. */
export async function fillVariedSchema(schema: PostgresSchema, count: number): Promise<void> {
  const seqs = (await schema.query('SELECT seq FROM entry ORDER BY seq')).map(({ seq }) => Number(seq))
  await schema.query(DROP_BODIES)
  await multiplyAll(schema, { count, everyMs: EVERY_MS, template: pickTemplate(seqs), columns: variedColumns })
  // Of a checkout that knows of no values, there is no such table.
  const hasValues = (await columnsOf(schema, 'value')).length > 0
  if (hasValues) await schema.query(addValues(String(seqs.at(-1))))
  await finish(schema)
  if (hasValues) await schema.query('VACUUM ANALYZE value')
}

interface Copies {
  readonly count: number
  /** From one to the next. */
  readonly everyMs: number
  /** SQL for the number of the entry that is copied, which may go by `i`. */
  readonly template: string
  /** What differs from entry to entry. */
  readonly columns: Readonly<Record<string, string>>
}

const waitingColumns = {
  event_id: `'evt_' || id`,
  object_id: `'pi_' || id`,
  lane: `'/pi_' || id`,
  received_at: 'at',
  due_at: 'at',
}

async function multiplyAll(schema: PostgresSchema, { count, everyMs, template, columns }: Copies): Promise<void> {
  const [last] = await schema.query('SELECT max(seq) AS seq FROM entry')
  const values = [count, everyMs, last?.seq]
  await schema.query(await multiply(schema, 'entry', template, columns), values)
  for (const table of ['payload', 'attempt']) await schema.query(await multiply(schema, table, template), values)
}

async function finish(schema: PostgresSchema): Promise<void> {
  await schema.query(`SELECT setval(pg_get_serial_sequence('entry', 'seq'), max(seq)) FROM entry`)
  // As a server leaves it that is up for a while: pages marked, statistics there.
  await schema.query('VACUUM ANALYZE entry, payload, attempt')
  await flushPostgres(schema)
}

/** SQL that adds $1 copies of entries, $2 milliseconds apart, with sequence numbers after $3. */
async function multiply(
  schema: PostgresSchema,
  table: string,
  template: string,
  columns: Readonly<Record<string, string>> = {},
): Promise<string> {
  const expressions: Readonly<Record<string, string>> = { ...columns, seq: '$3::bigint + i' }
  const names = await columnsOf(schema, table)
  return `
    INSERT INTO ${table} (${names.join()})
    SELECT ${names.map((name) => expressions[name] ?? `model.${name}`).join()}
    FROM (
      -- As in the loads, ids that were made together sort together, in no order.
      SELECT i, '3' || lpad((i / ${IDS_PER_SECOND})::text, 5, '0') || md5(random()::text) AS id,
             now() - ($1 - i) * $2::double precision * interval '1 millisecond' AS at
      FROM generate_series(1, $1::integer) AS i
    ) AS given JOIN ${table} AS model ON model.seq = ${template}`
}

async function columnsOf({ query }: PostgresSchema, table: string): Promise<string[]> {
  const found = await query(
    'SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1',
    [table],
  )
  return found.map(({ column_name }) => String(column_name))
}
