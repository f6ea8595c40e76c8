import { closeSync, existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { ReceiverError } from '../../errors.ts'
import { openForReading } from './file.ts'

export interface BackedUp {
  readonly entries: number
  readonly bytes: number
}

const WATCH_EVERY_MS = 200
/** In one step: SQLite begins again when somebody writes between two. What is written meanwhile is not in the copy. */
const ALL_PAGES = 2 ** 31 - 1

/**
 * Copies the inbox as it is at one moment, beside a server that goes on, to a file that only its owner can read, and checks the copy.
 * Throws ReceiverError `inbox_missing` or `inbox_unusable`; then there is no new file.
 */
export async function backUp(path: string, target: string, onProgress: (bytes: number) => void): Promise<BackedUp> {
  if (existsSync(target)) {
    throw new ReceiverError('inbox_unusable', `${target} is there already. Name a new file: a backup replaces none.`)
  }
  const source = openForReading(path)
  const partial = `${target}.partial`
  let timer: NodeJS.Timeout | undefined
  try {
    closeSync(openSync(partial, 'w', 0o600))
    timer = setInterval(() => onProgress(statSync(partial).size), WATCH_EVERY_MS)
    await backup(source.db, partial, { rate: ALL_PAGES })
    const entries = finishCopy(partial)
    renameSync(partial, target)
    return { entries, bytes: statSync(target).size }
  } catch (error) {
    rmSync(partial, { force: true })
    const cause = error instanceof Error ? error.message : String(error)
    throw new ReceiverError('inbox_unusable', `Cannot back up ${source.path} to ${target}: ${cause}.`)
  } finally {
    clearInterval(timer)
    source.close()
  }
}

/** Makes it one file that needs no log beside it; throws when it is not sound. Gives the number of its entries. */
function finishCopy(file: string): number {
  const db = new DatabaseSync(file)
  try {
    db.exec('PRAGMA journal_mode = DELETE')
    const check = db.prepare('PRAGMA quick_check(1)').get()?.quick_check
    if (check !== 'ok') throw new Error(`the copy is damaged (${check}), and so is probably the inbox`)
    return Number(db.prepare('SELECT count(*) AS entries FROM entry').get()?.entries)
  } finally {
    db.close()
  }
}
