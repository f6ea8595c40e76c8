import { DatabaseSync } from 'node:sqlite'
import { type PostgresSchema, planSchema } from '../support/plan-schema.ts'
import { type BenchContext, inboxFile, withFolder } from './bench-context.ts'

export type StoreName = 'sqlite' | 'postgres'

/** An inbox that one measurement has to itself, empty at first. */
export interface BenchInbox {
  /** For DATABASE_URL. */
  readonly url: string
  /** For the measurement's processes. */
  readonly folder: string
  /** By the attempts that the store recorded: measuring takes nothing from what is measured. */
  readHandled(span?: Span): Promise<Handled>
}

/** Milliseconds since the epoch. */
interface Span {
  readonly fromAt: number
  readonly untilAt: number
}

export interface Handled {
  /** Attempts that ended well within the span. */
  readonly count: number
  /** From the first one's start to the last one's end. */
  readonly durationMs: number
}

/** Until the last instant that a Date can be. */
const EVER: Span = { fromAt: 0, untilAt: 8.64e15 }

/** Runs the work with an inbox in that store, and removes it. */
export function withInbox<T>(
  context: BenchContext,
  store: StoreName,
  work: (inbox: BenchInbox) => Promise<T>,
): Promise<T> {
  return withFolder(context, async (folder) => {
    if (store === 'sqlite') return work(describeFile(folder))
    const schema = planBenchSchema(context)
    try {
      return await work(describeSchema(folder, schema))
    } finally {
      await schema.remove()
      await flushPostgres(schema)
    }
  })
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

function describeFile(folder: string): BenchInbox {
  const file = inboxFile(folder)
  return {
    url: `file:${file}`,
    folder,
    async readHandled({ fromAt, untilAt } = EVER) {
      const db = new DatabaseSync(file, { readOnly: true })
      const row = db
        .prepare(`
          SELECT count(*) AS count, max(ended_at) - min(started_at) AS "durationMs" FROM attempt
          WHERE outcome = 'handled' AND ended_at BETWEEN ? AND ?`)
        .get(fromAt, untilAt)
      db.close()
      return toHandled(row)
    },
  }
}

function describeSchema(folder: string, { url, query }: PostgresSchema): BenchInbox {
  return {
    url,
    folder,
    async readHandled({ fromAt, untilAt } = EVER) {
      const [row] = await query(
        `
          SELECT count(*) AS count, extract(epoch FROM max(ended_at) - min(started_at)) * 1000 AS "durationMs" FROM attempt
          WHERE outcome = 'handled' AND ended_at BETWEEN to_timestamp($1 / 1000.0) AND to_timestamp($2 / 1000.0)`,
        [fromAt, untilAt],
      )
      return toHandled(row)
    },
  }
}

const toHandled = (row: Record<string, unknown> | undefined): Handled => ({
  count: Number(row?.count),
  durationMs: Number(row?.durationMs),
})
