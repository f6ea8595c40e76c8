import type { Entry, EntryState } from '../../event.ts'
import type { EntryDetail, EntryFilter, EntryPresence, Page, Undealt } from '../inbox.ts'
import { type Row, toAttempt, toCounts, toEntry, toPresence } from '../rows.ts'
import type { Postgres, Statement } from './connection.ts'
import { findSeq, sql } from './statements.ts'

/** What is read and not claimed; with `isExact` all entries are counted, however many there are. Rejects with the driver's errors. */
export function createQueries(db: Postgres, { isExact }: { readonly isExact: boolean }) {
  return {
    async get(eventId: string): Promise<EntryDetail | undefined> {
      const [row] = await db.query({ text: sql.get, values: [eventId] })
      if (row === undefined) return undefined
      // Null when there are none.
      const attempts = (row.attempt_rows ?? []) as Row[]
      return { entry: toEntry(row), attempts: attempts.map(toAttempt), body: row.body as Buffer | null }
    },

    list: async (filter: EntryFilter, page: Page): Promise<Entry[]> =>
      (await db.query(selectEntries(filter, page))).map(toEntry),

    lookUp: async (eventIds: readonly string[]): Promise<EntryPresence[]> =>
      (await db.query({ text: sql.lookUp, values: [eventIds] })).map(toPresence),

    counts: async (): Promise<Record<EntryState, number>> =>
      toCounts(await db.query({ text: sql.countStates, values: [isExact] })),

    async oldestPendingMs(): Promise<number | null> {
      const [row] = await db.query({ text: sql.getOldestDue })
      return typeof row?.oldest_ms === 'string' ? Number(row.oldest_ms) : null
    },

    async undealt(): Promise<Undealt> {
      const [row] = await db.query({ text: sql.countUndealt })
      const oldestMs = typeof row?.oldest_ms === 'string' ? Number(row.oldest_ms) : null
      return { entries: Number(row?.entries), oldestMs }
    },

    accounts: async (): Promise<string[]> =>
      (await db.query({ text: sql.listAccounts })).map(({ account }) => String(account)),

    async readNote(name: string): Promise<string | null> {
      const [row] = await db.query({ text: sql.readNote, values: [name] })
      return typeof row?.value === 'string' ? row.value : null
    },
  }
}

/** The statement for entries that match, newest first. */
function selectEntries({ states, type, account, receivedWithinMs }: EntryFilter, { limit, before }: Page): Statement {
  const values: unknown[] = []
  const conditions: string[] = []
  const where = (condition: (parameter: string) => string, value: unknown) =>
    conditions.push(condition(`$${values.push(value)}`))
  if (states !== undefined) where((given) => `state = ANY (${given})`, states)
  if (type !== undefined) where((given) => `type LIKE ${given}`, toPattern(type))
  if (account !== undefined) where((given) => `account = ${given}`, account)
  if (receivedWithinMs !== undefined)
    where((given) => `seq >= (${findSeq(`now() - ${given} * interval '1 millisecond'`)})`, receivedWithinMs)
  if (before !== undefined) where((given) => `seq < (SELECT seq FROM entry WHERE event_id = ${given})`, before)
  const clause = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  return { text: `SELECT * FROM entry ${clause} ORDER BY seq DESC LIMIT $${values.push(limit)}`, values }
}

/** `*` for any run of characters → LIKE, which has signs of its own. */
function toPattern(type: string): string {
  return type.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%')
}
