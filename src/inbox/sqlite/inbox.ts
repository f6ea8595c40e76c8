import { randomUUID } from 'node:crypto'
import { ReceiverError } from '../../errors.ts'
import { type Committed, createGroupCommit, type OnCommit } from '../group-commit.ts'
import type { Inbox } from '../inbox.ts'
import { toAttempt, toEntry } from '../rows.ts'
import { findFault, toOpenError } from './faults.ts'
import { openSqliteFile, type SqliteFile } from './file.ts'
import { countStates, selectEntries } from './queries.ts'
import { prepareStatements, type Statements } from './statements.ts'
import { claimDue, freeLeases, insert, isAnythingToClaim, settle } from './work.ts'

type Operation = () => unknown

/**
 * A batch blocks the event loop while it runs, so it has a bound: 256 adds take about 5 ms. A drain does 28,000/s with 64, and no
 * more with 1,024 than with 256; batches of 16 and 32 accept a quarter and a tenth less, a sync being shared by fewer.
 */
const MAX_BATCH = 256

/**
 * The embedded store: one file, one server process. See the interface for what its methods promise.
 * A server frees the leases that a dead process left, since no other can be running. Throws as openSqliteFile does.
 */
export function openSqliteInbox(path: string, as: 'server' | 'command', onCommit?: OnCommit): Inbox {
  const file = openSqliteFile(path, as)
  const commit = createCommit(file)
  const sql = prepare(file, commit, as)
  const owner = randomUUID()
  const transactions = createGroupCommit<Operation, unknown>({ commit, maxItems: MAX_BATCH, onCommit })
  let isWriteFailing = false
  /** Why nothing is written any more, once SQLite found the file damaged. */
  let damage: string | undefined
  let isClosed = false

  /** Runs in the next transaction: all of it or nothing. */
  async function transact<T>(operation: () => T): Promise<T> {
    if (isClosed) throw new ReceiverError('store_unavailable', 'The inbox is closed.')
    if (damage !== undefined) throw new ReceiverError('store_unavailable', damage)
    try {
      // The group commit answers each item with what its own operation returned.
      return (await transactions.submit(operation)) as T
    } catch (error) {
      isWriteFailing ||= findFault(error) !== undefined
      throw toReceiverError(error)
    }
  }

  function toReceiverError(error: unknown): unknown {
    const fault = findFault(error)
    if (fault === undefined) return error
    const message = `The inbox cannot be used now: ${fault.cause}. ${fault.advice}`
    if (fault.isDamage) damage ??= message
    return new ReceiverError('store_unavailable', message)
  }

  /** Reads outside any transaction: what is committed. */
  async function read<T>(query: () => T): Promise<T> {
    if (isClosed) throw new ReceiverError('store_unavailable', 'The inbox is closed.')
    try {
      return query()
    } catch (error) {
      throw toReceiverError(error)
    }
  }

  return {
    async add(entry) {
      transactions.assertRoom()
      return transact(() => insert(sql, entry))
    },

    async claim({ limit, leaseMs }) {
      for (;;) {
        if (transactions.isIdle() && !(await read(() => isAnythingToClaim(sql)))) return []
        const { leases, heldBack } = await transact(() => claimDue(sql, { owner, limit, leaseMs }))
        if (leases.length > 0 || heldBack === 0) return leases
      }
    },

    release: (leases) =>
      transact(() => {
        for (const { token, attempt } of leases) sql.release.run(Number(token), owner, attempt)
      }),

    settle: (lease, outcome) => transact(() => settle(sql, owner, lease, outcome)),

    get: (eventId) =>
      read(() => {
        const row = sql.getEntry.get({ event_id: eventId })
        if (row === undefined) return undefined
        const attempts = sql.listAttempts.all({ seq: row.seq ?? null }).map(toAttempt)
        return { entry: toEntry(row), attempts, body: row.body instanceof Uint8Array ? row.body : null }
      }),

    list: (filter, page) => read(() => selectEntries(file.db, filter, page).map(toEntry)),

    counts: () => read(() => countStates(sql)),

    oldestPendingMs: () =>
      read(() => {
        const receivedAt = sql.getOldestPending.get()?.received_at
        return typeof receivedAt === 'number' ? Date.now() - receivedAt : null
      }),

    prune: ({ bodiesAfterMs, entriesAfterMs, limit }) =>
      transact(() => {
        const now = Date.now()
        const bodies = Number(sql.dropBodies.run({ until: now - bodiesAfterMs, limit }).changes)
        const entries = Number(sql.dropEntries.run({ until: now - entriesAfterMs, limit }).changes)
        return { bodies, entries }
      }),

    accounts: () => read(() => sql.listAccounts.all().map(({ account }) => String(account))),

    readNote: (name) =>
      read(() => {
        const value = sql.readNote.get({ name })?.value
        return typeof value === 'string' ? value : null
      }),

    writeNote: (name, value) => transact(() => void sql.writeNote.run({ name, value })),

    takeTurn: (name, forMs) =>
      transact(() => sql.takeTurn.run({ name: `turn ${name}`, owner, now: Date.now(), for_ms: forMs }).changes === 1),

    replay: (eventIds) =>
      transact(() => {
        const now = Date.now()
        return eventIds.filter((eventId) => sql.replay.run({ event_id: eventId, now }).changes === 1)
      }),

    async check() {
      file.assertInPlace()
      if (damage !== undefined) throw new ReceiverError('store_unavailable', damage)
      if (!isWriteFailing) return void (await read(() => sql.isReadable.get()))
      await transact(() => sql.fillProbe.run())
      await transact(() => sql.emptyProbe.run())
      isWriteFailing = false
    },

    async close() {
      if (isClosed) return
      isClosed = true
      await transactions.whenIdle()
      file.close()
    },
  }
}

type Commit = (operations: readonly Operation[]) => Committed<unknown>[]

/** Prepares the statements, and frees the leases for a server. Closes the file when it cannot. */
function prepare(file: SqliteFile, commit: Commit, as: 'server' | 'command'): Statements {
  try {
    const sql = prepareStatements(file.db)
    const [freed] = as === 'server' ? commit([() => freeLeases(sql, Number.MAX_SAFE_INTEGER)]) : []
    if (freed !== undefined && 'error' in freed) throw freed.error
    return sql
  } catch (error) {
    file.close()
    throw toOpenError(file.path, error)
  }
}

/**
 * One transaction for all operations. When one of them fails by its own fault, each runs again by itself, so that it fails alone.
 */
function createCommit({ db, assertInPlace }: SqliteFile): Commit {
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')

  return function commitAll(operations): Committed<unknown>[] {
    assertInPlace()
    try {
      begin.run()
      const results = operations.map((operation) => ({ value: operation() }))
      commit.run()
      return results
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      if (operations.length === 1 || findFault(error) !== undefined) return operations.map(() => ({ error }))
      return operations.flatMap((operation) => commitAll([operation]))
    }
  }
}
