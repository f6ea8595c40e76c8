import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ReceiverError } from '../../errors.ts'
import { readMigrations } from '../migrations.ts'
import { isLocked, toOpenError } from './faults.ts'
import { rememberPlaces } from './places.ts'

const MIGRATIONS = new URL('./migrations/', import.meta.url)

/** Bundled SQLite versions before this one can corrupt a database when the WAL is reset (sqlite.org/wal.html). */
const OLDEST_SQLITE = [3, 51, 3] as const

/** How long a statement waits for another process's write. node:sqlite waits 0 ms unless told. */
const BUSY_TIMEOUT_MS = 500

export interface SqliteFile {
  /** Absolute. */
  readonly path: string
  readonly db: DatabaseSync
  /** Throws ReceiverError `store_unavailable` while the path leads to other files than the open ones. */
  assertInPlace(): void
  close(): void
}

/**
 * Opens the inbox's file. A server creates folder and file (owner-only), migrates, and holds a lock that ends with its process,
 * however it ends; a command needs a file that a server made, and works beside one.
 * Throws ReceiverError `inbox_in_use`, `inbox_missing` or `inbox_unusable`.
 */
export function openSqliteFile(path: string, as: 'server' | 'command'): SqliteFile {
  return openFile(path, as === 'server' ? openAsServer : (file) => openExisting(file, connect))
}

/** Opens the file that a server made, to read what is committed in it. Throws ReceiverError `inbox_missing` or `inbox_unusable`. */
export function openForReading(path: string): SqliteFile {
  const connectToRead = (file: string) => new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, readOnly: true })
  return openFile(path, (file) => openExisting(file, connectToRead))
}

function openFile(path: string, open: (file: string) => SqliteFile): SqliteFile {
  const file = resolve(path)
  assertSqliteVersion(process.versions.sqlite ?? '0')
  try {
    return open(file)
  } catch (error) {
    throw toOpenError(file, error)
  }
}

/** Throws unless the version, such as `3.51.3`, is free of the known corruption bug. */
export function assertSqliteVersion(version: string): void {
  const parts = version.split('.').map(Number)
  const firstDifference = OLDEST_SQLITE.map((oldest, index) => (parts[index] ?? 0) - oldest).find(
    (difference) => difference !== 0,
  )
  if (firstDifference === undefined || firstDifference > 0) return
  throw new ReceiverError(
    'inbox_unusable',
    `This Node bundles SQLite ${version}; ${OLDEST_SQLITE.join('.')} or later is needed because older ones can corrupt the inbox. Use a newer Node.`,
  )
}

function openAsServer(file: string): SqliteFile {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  assertLogHasItsFile(file)
  createPrivately(file)
  using undo = new DisposableStack()
  undo.adopt(lockForServer(file), (lock) => lock.close())
  const db = undo.adopt(connect(file), (opened) => opened.close())
  migrate(db, file)
  const opened = undo.move()
  const assertInPlace = rememberPlaces(file, [lockFileOf(file)])
  return { path: file, db, assertInPlace, close: () => opened.dispose() }
}

function openExisting(file: string, open: (file: string) => DatabaseSync): SqliteFile {
  if (!existsSync(file)) {
    throw new ReceiverError(
      'inbox_missing',
      `There is no inbox at ${file}. Set DATABASE_URL to the server's file, or start the server once to create it.`,
    )
  }
  const db = open(file)
  const [current, newest] = [readSchemaVersion(db), readMigrations(MIGRATIONS).length]
  if (current !== newest) {
    db.close()
    throw new ReceiverError(
      'inbox_unusable',
      `The inbox ${file} has schema ${current} and this program ${newest}: run the command of the server's own version.`,
    )
  }
  return { path: file, db, assertInPlace: rememberPlaces(file), close: () => db.close() }
}

/**
 * Pages: 4 and 8 KiB cost a fifth and a tenth more time an add, most of it for the bodies. FULL: each commit is synced. The writer
 * itself sees to it that the log is written back.
 */
function connect(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS })
  try {
    db.exec(
      'PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864',
    )
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** SQLite takes a log without its database for a leftover, and erases it with the entries that only it holds. */
function assertLogHasItsFile(file: string): void {
  const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (sizeOf(file) > 0 || sizeOf(`${file}-wal`) === 0) return
  throw new ReceiverError(
    'inbox_unusable',
    `The inbox ${file} is missing or empty, while ${file}-wal holds entries of it. Put the file back, or remove ${file}-wal to begin with an empty inbox.`,
  )
}

/** SQLite gives its side files (-wal, -shm) the permissions of the main file. */
function createPrivately(file: string): void {
  closeSync(openSync(file, 'a', 0o600))
}

const lockFileOf = (file: string) => `${file}.server-lock`

/** An exclusive transaction on a file of its own: the operating system frees it when the process ends, by kill -9 too. */
function lockForServer(file: string): DatabaseSync {
  const lockFile = lockFileOf(file)
  createPrivately(lockFile)
  const lock = new DatabaseSync(lockFile)
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if (!isLocked(error)) throw error
    throw new ReceiverError(
      'inbox_in_use',
      `Another server is running on the inbox ${file}. One server works on a file: stop the other one, or give this one a DATABASE_URL of its own.`,
    )
  }
}

function migrate(db: DatabaseSync, file: string): void {
  const migrations = readMigrations(MIGRATIONS)
  const current = readSchemaVersion(db)
  if (current > migrations.length) {
    throw new ReceiverError(
      'inbox_unusable',
      `The inbox ${file} has schema ${current}, made by a newer version of this program, which knows up to ${migrations.length}. Run that version or a later one.`,
    )
  }
  for (const [index, sql] of migrations.entries()) {
    if (index < current) continue
    db.exec(`BEGIN IMMEDIATE; ${sql}; PRAGMA user_version = ${index + 1}; COMMIT`)
  }
}

function readSchemaVersion(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version)
}
