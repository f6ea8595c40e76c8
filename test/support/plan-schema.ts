import { randomBytes } from 'node:crypto'
import { Client } from 'pg'

export interface PostgresSchema {
  readonly name: string
  /** A DATABASE_URL with this schema. */
  readonly url: string
  /** Runs SQL in it, past the store. */
  query(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  /** Drops it and all that is in it. */
  remove(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** The name of a schema that does not exist yet in that Postgres. */
export function planSchema(serverUrl: string): PostgresSchema {
  const name = `test_${randomBytes(6).toString('hex')}`
  const url = new URL(serverUrl)
  url.searchParams.set('options', `-c search_path=${name}`)
  async function query(text: string, values?: unknown[]): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: url.href })
    await client.connect()
    try {
      return (await client.query({ text, ...(values && { values }) })).rows
    } finally {
      await client.end()
    }
  }
  const remove = async () => void (await query(`DROP SCHEMA IF EXISTS ${name} CASCADE`))
  return { name, url: url.href, query, remove, [Symbol.asyncDispose]: remove }
}
