import { type PostgresSchema, planSchema } from '../support/plan-schema.ts'
import { type PostgresInUse, usePostgres } from '../support/postgres-server.ts'
import type { BenchContext } from './bench-context.ts'
import type { Plan } from './plan.ts'

export interface BenchPostgres extends PostgresInUse {
  /** Version, and whether its commits are durable. */
  readonly description: string
}

/** The Postgres that is measured; undefined when the plan measures none. Rejects with what to do when there is no way to have one. */
export async function openBenchPostgres({ only }: Plan): Promise<BenchPostgres | undefined> {
  if (![...only].some((name) => name.startsWith('postgres'))) return undefined
  try {
    const server = await usePostgres({ isDurable: true })
    return { ...server, description: await describePostgres(server.url) }
  } catch (error) {
    const cause = error instanceof Error ? error.message : error
    throw new Error(
      `there is no Postgres to measure: ${cause}\nSet TEST_DATABASE_URL to one, or leave its measurements out with --only.`,
    )
  }
}

/** A schema in the Postgres that is measured. */
export function planBenchSchema({ postgresUrl }: Pick<BenchContext, 'postgresUrl'>): PostgresSchema {
  if (postgresUrl === undefined) throw new Error('the plan needs a Postgres, and none was started')
  return planSchema(postgresUrl)
}

/** To the disk now, so that the server does not write it during a measurement. */
export async function flushPostgres({ query }: PostgresSchema): Promise<void> {
  // A user who may not ask for it gets less steady numbers.
  await query('CHECKPOINT').catch(() => undefined)
}

async function describePostgres(url: string): Promise<string> {
  const settings = ['server_version', 'fsync', 'synchronous_commit', 'shared_buffers']
  const [row] = await planSchema(url).query(`SELECT ${settings.map((name) => `current_setting('${name}') AS ${name}`)}`)
  return settings.map((name) => `${name} ${row?.[name]}`).join(', ')
}
