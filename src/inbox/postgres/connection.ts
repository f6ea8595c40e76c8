import { Pool, type PoolClient } from 'pg'
import type { Row } from '../rows.ts'
import { describeUnavailable, isLostRace } from './errors.ts'

/** With a name it is prepared once on each connection. */
export interface Statement {
  readonly name?: string
  readonly text: string
  readonly values?: unknown[]
}

/** A few connections, made when they are needed and again when they broke. Rejects with the driver's errors. */
export interface Postgres {
  /** One statement, in a transaction of its own. */
  query(statement: Statement): Promise<Row[]>
  /** Several in one transaction, sent together: one round trip. */
  transact(statements: readonly Statement[]): Promise<Row[][]>
  /** Lets what runs finish. */
  close(): Promise<void>
}

/** Finds out about a peer that is gone, also when nothing is sent. */
export const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 }
export const APPLICATION = { fallback_application_name: 'stripe-webhook-receiver' }
const CONNECT_WITHIN_MS = 1_000
/** The server ends a statement after its time; this much later its connection counts as hung. */
const HUNG_AFTER_MS = 1_000
const IDLE_CONNECTION_MS = 60_000
/** So that all of them find the new primary some time, when the old one goes on as a standby. */
const OLDEST_CONNECTION_SECONDS = 600
const MAX_TRIES = 5

export interface PostgresOptions {
  readonly connectionString: string
  readonly maxConnections: number
  readonly statementTimeoutMs: number
}

export function connectPostgres({ connectionString, maxConnections, statementTimeoutMs }: PostgresOptions): Postgres {
  const pool = new Pool({
    connectionString,
    max: maxConnections,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + HUNG_AFTER_MS,
    idleTimeoutMillis: IDLE_CONNECTION_MS,
    maxLifetimeSeconds: OLDEST_CONNECTION_SECONDS,
    pipeline: true,
    ...KEEP_ALIVE,
    ...APPLICATION,
  })
  // A broken connection rejects what runs on it, and is replaced when it is needed: there is nothing else to do.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))

  async function use<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await pool.connect()
    try {
      const result = await work(client)
      client.release()
      return result
    } catch (error) {
      // Another connection may find a server that can: the new primary.
      client.release(!isLostRace(error) && describeUnavailable(error) !== undefined)
      throw error
    }
  }

  async function retry<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await use(work)
      } catch (error) {
        if (!isLostRace(error) || tries === MAX_TRIES) throw error
      }
    }
  }

  return {
    query: (statement) => retry(async (client) => (await client.query(statement)).rows),
    transact: (statements) =>
      retry(async (client) => {
        const sent = [BEGIN, ...statements, COMMIT].map((statement) => client.query(statement))
        // Each has answered before the connection goes to someone else. The first failure is the cause of those after it.
        const answers = await Promise.allSettled(sent)
        const rows = answers.map((answer) => {
          if (answer.status === 'rejected') throw answer.reason
          return answer.value.rows
        })
        return rows.slice(1, -1)
      }),
    close: () => pool.end(),
  }
}

const BEGIN: Statement = { text: 'BEGIN' }
const COMMIT: Statement = { text: 'COMMIT' }
