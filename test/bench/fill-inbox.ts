import { closeSync, fsyncSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { newEntry } from '../support/new-entry.ts'
import { IDS_PER_SECOND } from './deliveries.ts'
import { addValues, DROP_BODIES, EVERY_MS, pickTemplate, variedColumns } from './varied-entries.ts'

/** Entries to put into a file, alike but for their ids. */
export interface Filling {
  readonly count: number
  readonly state: 'pending' | 'handled'
  /** One lane for all, of which only the first is ready; without it each has its own. */
  readonly lane?: string
  /** Without a lane for all: events of objects made long before them, or, unless told, with them. */
  readonly objects?: 'new' | 'old'
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
export function fillInbox(file: string, { count, state, lane, objects = 'new', dueAt }: Filling): void {
  change(file, (db) => {
    const { template } = db.prepare('SELECT min(seq) AS template FROM entry WHERE state = ?').get(state) ?? {}
    if (typeof template !== 'number') throw new Error(`the file has no ${state} entry`)
    const from = { after: lastSeq(db), count, last_at: dueAt, every_ms: 1 }
    const given = { lane: lane ?? null, of_new: Number(objects === 'new') }
    db.prepare(multiply(db, 'entry', String(template), waitingColumns)).run({ ...from, ...given })
    for (const table of ['payload', 'attempt']) db.prepare(multiply(db, table, String(template))).run(from)
  })
}

/** Multiplies what `addTemplates` added, until that many entries are there beside it; retention dropped the bodies that it drops. */
export function fillVariedInbox(file: string, count: number): void {
  change(file, (db) => {
    const template = pickTemplate(
      db
        .prepare('SELECT seq FROM entry ORDER BY seq')
        .all()
        .map(({ seq }) => Number(seq)),
    )
    const from = { after: lastSeq(db), count, last_at: Date.now(), every_ms: EVERY_MS }
    db.exec(DROP_BODIES)
    db.prepare(multiply(db, 'entry', template, variedColumns)).run(from)
    for (const table of ['payload', 'attempt']) db.prepare(multiply(db, table, template)).run(from)
    // Of a checkout that knows of no values, there is no such table.
    if (columnsOf(db, 'value').length > 0) db.exec(addValues(String(from.after)))
  })
}

function change(file: string, work: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(file)
  try {
    // No journal and no sync: the file is worthless should this fail. The store sets WAL again when it opens it.
    db.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; BEGIN')
    work(db)
    db.exec('COMMIT; PRAGMA journal_mode = WAL')
  } finally {
    db.close()
  }
  flush(file)
}

const lastSeq = (db: DatabaseSync) => Number(db.prepare('SELECT max(seq) AS seq FROM entry').get()?.seq)

/** What differs from entry to entry. */
const waitingColumns = {
  event_id: `'evt_' || id`,
  object_id: `'pi_' || iif(:of_new, id, bare)`,
  lane: `coalesce(:lane, '/pi_' || iif(:of_new, id, bare))`,
  ready: `iif(state = 'pending', i = 1 OR :lane IS NULL, ready)`,
  received_at: 'at',
  due_at: 'at',
}

/** SQL that adds `:count` copies with sequence numbers after `:after`: of the entry of that number, which may go by `i`. */
function multiply(
  db: DatabaseSync,
  table: string,
  template: string,
  columns: Readonly<Record<string, string>> = {},
): string {
  const expressions: Readonly<Record<string, string>> = { ...columns, seq: ':after + i' }
  const names = columnsOf(db, table)
  return `
    WITH RECURSIVE
      number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < :count),
      random (i, bare) AS MATERIALIZED (SELECT i, lower(hex(randomblob(9))) FROM number),
      -- As in the loads, what was made together sorts together, in no order.
      given (i, id, bare, at) AS (
        SELECT i, printf('3%05d', i / ${IDS_PER_SECOND}) || bare, bare, :last_at - (:count - i) * :every_ms FROM random)
    INSERT INTO ${table} (${names.join()})
    SELECT ${names.map((name) => expressions[name] ?? `model.${name}`).join()}
    FROM given CROSS JOIN ${table} AS model ON model.seq = ${template}`
}

function columnsOf(db: DatabaseSync, table: string): string[] {
  const rows = db.prepare('SELECT name FROM pragma_table_info(?)').all(table)
  return rows.map(({ name }) => String(name))
}

/** To the disk now, so that the system does not write it during a measurement. */
function flush(file: string): void {
  const descriptor = openSync(file, 'r+')
  fsyncSync(descriptor)
  closeSync(descriptor)
}
