import { closeSync, fsyncSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { newEntry } from '../support/new-entry.ts'
import { IDS_PER_SECOND } from './deliveries.ts'

/** Entries to put into a file, alike but for their ids. */
export interface Filling {
  readonly count: number
  readonly state: 'pending' | 'handled'
  /** One lane for all, of which only the first is ready; without it each has its own. */
  readonly lane?: string
  /** Without a lane for all: events of objects made long before them, or, unless told, with them. */
  readonly objects?: 'new' | 'old'
  /** False leaves them without their bodies, as retention does. */
  readonly hasBodies?: boolean
  /** When the last of them became due; the others did before it, a millisecond apart. */
  readonly dueAt: number
}

/** Adds a pending entry, for `fillInbox` and `fillSchema` to multiply. */
export async function addPending(inbox: Inbox): Promise<void> {
  await inbox.add(newEntry())
}

/** Adds a handled entry, to be multiplied too, where no other is pending. */
export async function addHandled(inbox: Inbox): Promise<void> {
  await inbox.add(newEntry())
  const [lease] = await inbox.claim({ limit: 1, leaseMs: 1_000 })
  if (lease === undefined || !(await inbox.settle(lease, { state: 'handled' })))
    throw new Error('an entry that was just added could not be claimed and settled')
}

/**
 * Multiplies an entry that went through the store, with its body and attempts: a million through `add` take minutes, and this way
 * every column is as the store leaves it. Nobody else may have the file open.
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

function multiplyAll(
  db: DatabaseSync,
  { count, state, lane, objects = 'new', hasBodies = true, dueAt }: Filling,
): void {
  const row = db.prepare(
    'SELECT min(seq) AS template, (SELECT max(seq) FROM entry) AS after FROM entry WHERE state = ?',
  )
  const { template, after } = row.get(state) ?? {}
  if (typeof template !== 'number' || typeof after !== 'number') throw new Error(`the file has no ${state} entry`)
  const from = { template, after, count }
  db.prepare(multiply(db, 'entry', entryColumns)).run({
    ...from,
    lane: lane ?? null,
    of_new: Number(objects === 'new'),
    due_at: dueAt,
  })
  if (hasBodies) db.prepare(multiply(db, 'payload')).run(from)
  db.prepare(multiply(db, 'attempt')).run(from)
}

/** What differs from entry to entry. */
const entryColumns = {
  event_id: `'evt_' || time || id`,
  object_id: `'pi_' || iif(:of_new, time, '') || id`,
  lane: `coalesce(:lane, '/pi_' || iif(:of_new, time, '') || id)`,
  ready: `iif(state = 'pending', i = 1 OR :lane IS NULL, ready)`,
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
      -- As in the loads, what was made together sorts together, in no order.
      given (i, time, id) AS MATERIALIZED (SELECT i, printf('3%05d', i / ${IDS_PER_SECOND}), lower(hex(randomblob(9))) FROM number)
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
