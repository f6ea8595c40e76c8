import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { serveTask } from './child-task.ts'

export interface HoldLock {
  readonly file: string
  readonly seconds: number
}

/** The lock is free for an instant between two transactions of the server. */
const TIMEOUT_MS = 10_000

serveTask(async ({ file, seconds }: HoldLock): Promise<void> => {
  const db = new DatabaseSync(file, { timeout: TIMEOUT_MS })
  db.exec('BEGIN IMMEDIATE')
  await delay(seconds * 1_000)
  db.exec('ROLLBACK')
  db.close()
})
