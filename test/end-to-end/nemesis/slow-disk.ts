import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import type { Fault } from './fault.ts'
import type { PostgresSubject, SqliteSubject } from './subject.ts'

const LOCKED_WITHIN_MS = 5_000

/** As a backup or a shell does. */
async function lockSqlite({ databasePath }: SqliteSubject, ms: number): Promise<void> {
  using db = new DatabaseSync(databasePath, { timeout: LOCKED_WITHIN_MS })
  db.exec('BEGIN IMMEDIATE')
  await delay(ms)
  db.exec('ROLLBACK')
}

async function hangWriter({ places: [place] }: SqliteSubject, ms: number): Promise<void> {
  if (place === undefined) return
  place.breakWriter('hang')
  await delay(ms)
  place.mendWriter()
}

async function lockPostgres({ postgres }: PostgresSubject, mode: string, ms: number): Promise<void> {
  const client = new Client({ connectionString: postgres.url })
  await client.connect()
  try {
    await client.query(`BEGIN; LOCK TABLE stripe_inbox.entry IN ${mode} MODE`)
    await delay(ms)
    await client.query('ROLLBACK')
  } finally {
    await client.end()
  }
}

/** Lets the store hang. */
export const slowDisk: Fault = {
  name: 'slow-disk',
  summary: 'the store hangs: locked by another process, or, on SQLite, its writer waits for the disk',
  async sqlite({ subject, random, lasting, cutOff }) {
    const [isLocked, ms] = [random() < 0.5, lasting()]
    await cutOff(subject.places, () => (isLocked ? lockSqlite : hangWriter)(subject, ms))
    return `${isLocked ? 'locked the file' : 'let the writer hang'} for ${ms} ms`
  },
  async postgres({ subject, random, lasting, cutOff }) {
    const [mode, ms] = [random.pick(['EXCLUSIVE', 'ACCESS EXCLUSIVE']), lasting()]
    await cutOff(subject.places, () => lockPostgres(subject, mode, ms))
    return `locked the table of entries (${mode}) for ${ms} ms`
  },
}
