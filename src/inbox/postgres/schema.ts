import { Client } from 'pg'
import { ReceiverError } from '../../errors.ts'
import { readMigrations } from '../migrations.ts'
import { APPLICATION, KEEP_ALIVE } from './connection.ts'
import { describeUnavailable } from './errors.ts'
import { FSYNC_OFF, isSynced } from './statements.ts'
import type { PostgresTarget } from './url.ts'

const MIGRATIONS = new URL('./migrations/', import.meta.url)
const OLDEST_SERVER = 14
/** A start may take longer than a delivery: a database that sleeps wakes up, another process migrates. */
const CONNECT_WITHIN_MS = 10_000
const MIGRATE_WITHIN = '60s'

/** What the connections have to set, because the server's or the role's default, or a later one, would break a promise. */
export interface OpenedSchema {
  readonly settings: readonly string[]
}

/**
 * Makes sure of the server and the schema. A server process makes the schema and migrates it, one process at a time; a command
 * needs one that a server made. Throws ReceiverError `inbox_missing` or `inbox_unusable`.
 */
export async function openSchema(target: PostgresTarget, as: 'server' | 'command'): Promise<OpenedSchema> {
  try {
    return await withClient(target, async (client) => {
      const settings = await checkServer(client, target)
      if (as === 'server') await migrate(client, target)
      else await expectSchema(client, target)
      return { settings }
    })
  } catch (error) {
    if (error instanceof ReceiverError) throw error
    const cause = describeUnavailable(error) ?? (error instanceof Error ? error.message : String(error))
    throw unusable(
      target,
      `${cause}. Check DATABASE_URL, that Postgres is running and can be reached from here, and the rights of its user.`,
    )
  }
}

async function withClient<T>(target: PostgresTarget, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({
    connectionString: target.connectionString([]),
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    ...KEEP_ALIVE,
    ...APPLICATION,
  })
  // What runs on a connection that breaks rejects.
  client.on('error', () => {})
  try {
    await client.connect()
    return await use(client)
  } finally {
    await client.end()
  }
}

const TURN_ON = 'ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf()'

async function checkServer(client: Client, target: PostgresTarget): Promise<string[]> {
  const { rows } = await client.query(`
    SELECT current_setting('server_version_num')::integer / 10000 AS version, current_setting('server_encoding') AS encoding,
           current_setting('synchronous_commit') AS synchronous_commit, ${isSynced} AS is_synced`)
  const [{ version, encoding, synchronous_commit, is_synced }] = rows
  if (version < OLDEST_SERVER)
    throw unusable(target, `Postgres ${OLDEST_SERVER} or later is needed, and this is ${version}.`)
  if (encoding !== 'UTF8')
    throw unusable(target, `the database's encoding is ${encoding}. Create one with ENCODING 'UTF8'.`)
  if (!is_synced) throw unusable(target, `${FSYNC_OFF} Turn it on (${TURN_ON}), and run sync on that machine once.`)
  // Off lost 2 % of what was acknowledged in a power-loss test. Any other value is the operator's choice, for as long as this runs.
  return [`synchronous_commit=${synchronous_commit === 'off' ? 'on' : synchronous_commit}`]
}

async function migrate(client: Client, target: PostgresTarget): Promise<void> {
  const migrations = readMigrations(MIGRATIONS)
  // A role that may not create anything can use a schema that is there.
  if ((await readVersion(client, target)) === migrations.length) return
  await client.query('BEGIN')
  await client.query(`SET LOCAL lock_timeout = '${MIGRATE_WITHIN}'; SET LOCAL statement_timeout = 0`)
  // Held until COMMIT: of many processes that start at once, one migrates and the others find it done.
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
    `stripe-webhook-receiver ${target.schema}`,
  ])
  const { rows } = await client.query('SELECT to_regnamespace($1) IS NOT NULL AS "isThere"', [target.schema])
  if (!rows[0]?.isThere) await client.query(`CREATE SCHEMA ${target.schema}`)
  const current = await readVersion(client, target)
  if (current > migrations.length) throw newerSchema(target, current, migrations.length)
  if (current === 0) {
    await client.query(
      'CREATE TABLE IF NOT EXISTS migration (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())',
    )
  }
  for (const [index, sql] of migrations.entries()) {
    if (index < current) continue
    await client.query(sql)
    await client.query('INSERT INTO migration (version) VALUES ($1)', [index + 1])
  }
  await client.query('COMMIT')
}

async function expectSchema(client: Client, target: PostgresTarget): Promise<void> {
  const [current, newest] = [await readVersion(client, target), readMigrations(MIGRATIONS).length]
  if (current === 0) {
    throw new ReceiverError(
      'inbox_missing',
      `There is no inbox in ${target.place}. Set DATABASE_URL to the server's, schema included, or start the server once to create it.`,
    )
  }
  if (current === newest) return
  throw unusable(
    target,
    `it has schema ${current} and this program ${newest}. Run the command of the server's own version, or start this version's server to migrate it.`,
  )
}

/** 0 when there is none. */
async function readVersion(client: Client, { schema }: PostgresTarget): Promise<number> {
  const table = `${schema}.migration`
  const { rows: found } = await client.query('SELECT to_regclass($1) IS NOT NULL AS "isThere"', [table])
  if (!found[0]?.isThere) return 0
  const { rows } = await client.query(`SELECT coalesce(max(version), 0) AS version FROM ${table}`)
  return Number(rows[0]?.version)
}

function newerSchema(target: PostgresTarget, current: number, newest: number): ReceiverError {
  return unusable(
    target,
    `it has schema ${current}, made by a newer version of this program, which knows up to ${newest}. Run that version or a later one.`,
  )
}

function unusable({ place }: PostgresTarget, cause: string): ReceiverError {
  return new ReceiverError('inbox_unusable', `Cannot open the inbox in ${place}: ${cause}`)
}
