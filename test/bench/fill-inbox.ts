import { closeSync, fsyncSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { openSqliteInbox } from '../../src/inbox/sqlite-inbox.ts'
import { newEntry } from '../support/new-entry.ts'

/** Entries to put into a file, alike but for their ids. */
export interface Filling {
  readonly count: number
  readonly state: 'pending' | 'handled'
  /** One lane for all; without it each has its own. */
  readonly lane?: string
  /** How entries of one lane come to wait: as deliveries arrive, only the first is ready; after a replay, all are. */
  readonly ready?: 'first' | 'all'
  /** When the last of them became due; the others did before it, a millisecond apart. */
  readonly dueAt: number
}

/** Makes a file with one handled and one pending entry, for `fillInbox` to multiply. */
export async function createTemplateFile(file: string): Promise<void> {
  const inbox = openSqliteInbox(file, 'server')
  try {
    await inbox.add(newEntry())
    const [lease] = await inbox.claim({ limit: 1, leaseMs: 1_000 })
    if (lease !== undefined) await inbox.settle(lease, { state: 'handled' })
    await inbox.add(newEntry())
  } finally {
    await inbox.close()
  }
}

/**
 * Multiplies an entry of a template file, or of a copy, with its body and attempts: a million through `add` take minutes, and this
 * way every column is as the store leaves it. Nobody else may have the file open.
 */
export function fillInbox(file: string, filling: Filling): void {
  const db = new DatabaseSync(file)
  try {
    // No journal and no sync: the file is worthless should this fail. The store sets WAL again when it opens it.
    db.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; BEGIN')
    multiplyAll(db, filling)
    db.exec('COMMIT; PRAGMA journal_mode = WAL')
  } finally {
    db.close()
  }
  flush(file)
}

function multiplyAll(db: DatabaseSync, { count, state, lane, ready = 'first', dueAt }: Filling): void {
  const row = db.prepare(
    'SELECT min(seq) AS template, (SELECT max(seq) FROM entry) AS after FROM entry WHERE state = ?',
  )
  const { template, after } = row.get(state) ?? {}
  if (typeof template !== 'number' || typeof after !== 'number') throw new Error(`the file has no ${state} entry`)
  const from = { template, after, count }
  const isAllReady = Number(lane === undefined || ready === 'all')
  db.prepare(multiply(db, 'entry', entryColumns)).run({
    ...from,
    lane: lane ?? null,
    due_at: dueAt,
    all_ready: isAllReady,
  })
  db.prepare(multiply(db, 'payload')).run(from)
  db.prepare(multiply(db, 'attempt')).run(from)
}

/** What differs from entry to entry. Random ids and lanes: their places in the indexes are all over, which is the hardest case. */
const entryColumns = {
  event_id: `'evt_' || id`,
  object_id: `'pi_' || id`,
  lane: `coalesce(:lane, '/pi_' || id)`,
  ready: 'i = 1 OR :all_ready',
  received_at: ':due_at - :count + i',
  due_at: ':due_at - :count + i',
}

/** SQL that adds `:count` copies of the rows of entry `:template`, with sequence numbers after `:after`. */
function multiply(db: DatabaseSync, table: string, columns: Readonly<Record<string, string>> = {}): string {
  const expressions: Readonly<Record<string, string>> = { ...columns, seq: ':after + i' }
  const names = db
    .prepare('SELECT name FROM pragma_table_info(?)')
    .all(table)
    .map(({ name }) => String(name))
  return `
    WITH RECURSIVE
      number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < :count),
      given (i, id) AS MATERIALIZED (SELECT i, lower(hex(randomblob(12))) FROM number)
    INSERT INTO ${table} (${names.join()})
    SELECT ${names.map((name) => expressions[name] ?? `model.${name}`).join()}
    FROM given CROSS JOIN (SELECT * FROM ${table} WHERE seq = :template) AS model`
}

/** To the disk now, so that the system does not write it during a measurement. */
function flush(file: string): void {
  const descriptor = openSync(file, 'r+')
  fsyncSync(descriptor)
  closeSync(descriptor)
}
