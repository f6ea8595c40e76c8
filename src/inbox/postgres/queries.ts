import type { Entry, EntryState } from '../../event.ts'
import type { Action } from '../actions.ts'
import type { Figures } from '../figures.ts'
import {
  type EntryDetail,
  type EntryFilter,
  type EntryPresence,
  type Found,
  type Hold,
  type Inbox,
  type Page,
  SEARCHED,
  type Summary,
  type Undealt,
} from '../inbox.ts'
import {
  type Row,
  toAction,
  toAttempt,
  toCounts,
  toDecision,
  toEntry,
  toFigures,
  toGroups,
  toHold,
  toPresence,
} from '../rows.ts'
import type { Postgres } from './connection.ts'
import { type Conditions, selectEntries, toConditions } from './filter.ts'
import { createForwardQueries } from './forwards.ts'
import { recordSql } from './record-statements.ts'
import { sql } from './statements.ts'

/** What is read and not claimed; with `isExact` all entries are counted, however many there are. Rejects with the driver's errors. */
export function createQueries(db: Postgres, { isExact }: { readonly isExact: boolean }) {
  async function eventIdAt(seq: number): Promise<string | null> {
    const [row] = await db.query({
      text: 'SELECT event_id FROM entry WHERE seq >= $1 ORDER BY seq LIMIT 1',
      values: [seq],
    })
    return typeof row?.event_id === 'string' ? row.event_id : null
  }

  /** The conditions, and where no index serves them the newest entries alone. */
  async function narrow(filter: EntryFilter, page: Page): Promise<Conditions & Pick<Found, 'olderThan'>> {
    const conditions = toConditions(filter, page)
    if (conditions.isIndexed) return { ...conditions, olderThan: null }
    const [range] = await db.query({
      text: sql.findSearched,
      values: [page.before ?? null, SEARCHED, filter.receivedWithinMs ?? null, filter.receivedBeforeMs ?? null],
    })
    if (range === undefined) return { ...conditions, olderThan: null }
    const { clause, values } = conditions
    const text = `seq >= $${values.length + 1}`
    return {
      clause: clause === '' ? `WHERE ${text}` : `${clause} AND ${text}`,
      values: [...values, range.seq],
      isIndexed: false,
      olderThan: String(range.event_id),
    }
  }

  const forwards = createForwardQueries(db)

  return {
    forwards,

    async get(eventId: string): Promise<EntryDetail | undefined> {
      const [[row], own] = await Promise.all([
        db.query({ text: sql.get, values: [eventId] }),
        forwards.ofEntry(eventId),
      ])
      if (row === undefined) return undefined
      // Null when there are none.
      const attempts = (row.attempt_rows ?? []) as Row[]
      const body = row.body as Buffer | null
      const decision = toDecision(row.decision)
      return { entry: toEntry(row), attempts: attempts.map(toAttempt), body, decision, forwards: own }
    },

    list: async (filter: EntryFilter, page: Page): Promise<Entry[]> =>
      (await db.query(selectEntries(toConditions(filter, page), page.limit))).map(toEntry),

    async search(filter: EntryFilter, page: Page): Promise<Found> {
      const searched = await narrow(filter, page)
      const entries = (await db.query(selectEntries(searched, page.limit))).map(toEntry)
      return { entries, olderThan: entries.length === page.limit ? null : searched.olderThan }
    },

    async summarize(filter: EntryFilter, page: Page): Promise<Summary> {
      const { clause, values, olderThan } = await narrow(filter, page)
      const rows = await db.query({
        text: `SELECT state, type, left(split_part(reason, chr(10), 1), 200) AS reason, count(*) AS entries,
                      min(received_at) AS oldest_at, max(received_at) AS newest_at, min(seq) AS first_seq, max(seq) AS last_seq
               FROM entry ${clause} GROUP BY 1, 2, 3`,
        values: [...values],
      })
      const { groups, entries, firstSeq, lastSeq } = toGroups(rows, page.limit)
      const [oldest = null, newest = null] = entries === 0 ? [] : await Promise.all([firstSeq, lastSeq].map(eventIdAt))
      return { groups, entries, oldest, newest, olderThan }
    },

    async lane(eventId: string, limit: number): Promise<Entry[]> {
      const rows = await db.query({ text: sql.listLane, values: [eventId, limit] })
      return rows.map(toEntry).reverse()
    },

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

    async held(): Promise<Hold | null> {
      const [row] = await db.query({ text: recordSql.getHold })
      return row === undefined ? null : toHold(String(row.value), Number(row.now))
    },

    figures: async (sinceMs: number): Promise<(Figures & { readonly at: Date })[]> =>
      (await db.query({ text: recordSql.listFigures, values: [sinceMs] })).map(toFigures),

    async actions({
      limit,
      before = Number.MAX_SAFE_INTEGER,
      state,
    }: Parameters<Inbox['actions']>[0]): Promise<Action[]> {
      const statement =
        state === undefined
          ? { text: recordSql.listActions, values: [limit, before] }
          : { text: recordSql.listActionsIn, values: [limit, before, state] }
      return (await db.query(statement)).map(toAction)
    },

    async readNote(name: string): Promise<string | null> {
      const [row] = await db.query({ text: recordSql.readNote, values: [name] })
      return typeof row?.value === 'string' ? row.value : null
    },
  }
}
