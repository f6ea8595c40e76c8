import { DatabaseSync } from 'node:sqlite'
import type { PostgresSchema } from '../support/plan-schema.ts'
import { type BenchContext, type Folder, inboxFile, makeFolder } from './bench-context.ts'
import { flushPostgres, planBenchSchema } from './bench-postgres.ts'
import { type Checkout, withInbox } from './checkout.ts'
import { fillVariedInbox } from './fill-inbox.ts'
import { fillVariedSchema } from './fill-schema.ts'
import { addTemplates } from './varied-entries.ts'

export type StoreName = 'sqlite' | 'postgres'

/** An inbox that nobody else uses, empty at first. */
export interface BenchInbox extends AsyncDisposable {
  /** For DATABASE_URL. */
  readonly url: string
  /** For the measurement's processes. */
  readonly folder: string
  /** Number of the first of that many ids that no delivery to it had yet. */
  takeIds(count: number): number
  /** By the attempts that the store recorded: measuring takes nothing from what is measured. */
  readHandled(span?: Span): Promise<Handled>
  /** The same of forwards that were delivered. */
  readForwarded(): Promise<Pick<Handled, 'count' | 'durationMs'>>
  /** Makes it, with that many entries as a server has them after some weeks. Nobody else may use it meanwhile. */
  fill(checkout: Checkout, count: number): Promise<void>
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
  /** From an entry's being stored to the end of its attempt; whole milliseconds, as the store has them. */
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Until the last instant that a Date can be. */
const EVER: Span = { fromAt: 0, untilAt: 8.64e15 }

/** Plans an inbox in that store for a server to make; it goes with all that was put into it. */
export async function planBenchInbox(context: BenchContext, store: StoreName): Promise<BenchInbox> {
  const folder = await makeFolder(context)
  return store === 'sqlite' ? describeFile(folder) : describeSchema(folder, planBenchSchema(context))
}

function describeFile(folder: Folder): BenchInbox {
  const file = inboxFile(folder.path)
  return {
    url: `file:${file}`,
    folder: folder.path,
    takeIds: createIdTaker(),
    async readHandled({ fromAt, untilAt } = EVER) {
      const db = new DatabaseSync(file, { readOnly: true })
      const row = db
        .prepare(`
          SELECT count(*) AS count, max(ended_at) - min(attempt.started_at) AS "durationMs",
                 percentile_disc(ended_at - received_at, 0.5) AS "p50Ms", percentile_disc(ended_at - received_at, 0.99) AS "p99Ms"
          FROM attempt JOIN entry USING (seq) WHERE outcome = 'handled' AND ended_at BETWEEN ? AND ?`)
        .get(fromAt, untilAt)
      db.close()
      return toHandled(row)
    },
    async readForwarded() {
      const db = new DatabaseSync(file, { readOnly: true })
      const row = db
        .prepare(`
          SELECT count(*) AS count, max(ended_at) - min(started_at) AS "durationMs"
          FROM forward_attempt WHERE outcome = 'delivered'`)
        .get()
      db.close()
      return toHandled(row)
    },
    async fill(checkout, count) {
      await withInbox(checkout, `file:${file}`, 'server', addTemplates)
      fillVariedInbox(file, count)
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

function describeSchema(folder: Folder, schema: PostgresSchema): BenchInbox {
  return {
    url: schema.url,
    folder: folder.path,
    takeIds: createIdTaker(),
    async readHandled({ fromAt, untilAt } = EVER) {
      const [row] = await schema.query(
        `
          SELECT count(*) AS count, extract(epoch FROM max(ended_at) - min(attempt.started_at)) * 1000 AS "durationMs",
                 extract(epoch FROM percentile_disc(0.5) WITHIN GROUP (ORDER BY ended_at - received_at)) * 1000 AS "p50Ms",
                 extract(epoch FROM percentile_disc(0.99) WITHIN GROUP (ORDER BY ended_at - received_at)) * 1000 AS "p99Ms"
          FROM attempt JOIN entry USING (seq)
          WHERE outcome = 'handled' AND ended_at BETWEEN to_timestamp($1 / 1000.0) AND to_timestamp($2 / 1000.0)`,
        [fromAt, untilAt],
      )
      return toHandled(row)
    },
    async readForwarded() {
      const [row] = await schema.query(`
        SELECT count(*) AS count, extract(epoch FROM max(ended_at) - min(started_at)) * 1000 AS "durationMs"
        FROM forward_attempt WHERE outcome = 'delivered'`)
      return toHandled(row)
    },
    async fill(checkout, count) {
      await withInbox(checkout, schema.url, 'server', addTemplates)
      await fillVariedSchema(schema, count)
    },
    async [Symbol.asyncDispose]() {
      await schema.remove()
      await flushPostgres(schema)
      await folder[Symbol.asyncDispose]()
    },
  }
}

const toHandled = (row: Record<string, unknown> | undefined): Handled => ({
  count: Number(row?.count),
  durationMs: Number(row?.durationMs),
  p50Ms: Number(row?.p50Ms),
  p99Ms: Number(row?.p99Ms),
})

function createIdTaker(): BenchInbox['takeIds'] {
  let taken = 0
  return (count) => {
    taken += count
    return taken - count
  }
}
