import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  ACCOUNT_NOTE,
  CLOCKS_APART_MS,
  DEAUTHORIZED,
  type EntryFilter,
  type Inbox,
  type Page,
  SEARCHED,
  THIN_ACCOUNT_NOTE,
  type Undealt,
} from '../inbox.ts'
import type { Row } from '../rows.ts'
import { toConditions } from './filter.ts'
import { prepareForwardQueries } from './forward-queries.ts'
import { prepareSeqSearch } from './seq.ts'

export type Queries = ReturnType<typeof prepareQueries>

/**
 * How many entries a search that no index serves reads at once, some 10 ms of work: other questions are answered in between, and no
 * snapshot is held for long, which would keep the log from being written over.
 */
const WINDOW = 20_000

/** Every question that only reads; rows as the driver gives them. */
export function prepareQueries(db: DatabaseSync) {
  const findSeq = prepareSeqSearch(db)
  const forwards = prepareForwardQueries(db)
  const getEntry = db.prepare(`
    SELECT *, (SELECT body FROM payload WHERE payload.seq = entry.seq) AS body FROM entry WHERE event_id = ?`)
  const listAttempts = db.prepare('SELECT * FROM attempt WHERE seq = ? ORDER BY replay, number')
  const lookUp = db.prepare(`
    SELECT event_id, type, state, EXISTS (SELECT 1 FROM payload WHERE payload.seq = entry.seq) AS has_body,
           decision IS NOT NULL AS is_answered
    FROM entry WHERE event_id IN (SELECT value FROM json_each(?))`)
  const countAll = db.prepare(`SELECT 'all' AS state, count(*) AS entries FROM entry`)
  // Each of these reads one partial index; counting the handled ones would read them all.
  const countUnhandledOrOpen = db.prepare(`
    SELECT 'pending' AS state, count(*) AS entries FROM entry WHERE state = 'pending'
    UNION ALL SELECT 'running', count(*) FROM entry WHERE state = 'running'
    UNION ALL SELECT state, count(*) FROM entry WHERE state IN ('unhandled', 'parked', 'dead') GROUP BY state`)
  const countUndealt = db.prepare(`
    SELECT count(*) AS entries, min(settled_at) AS settled_at FROM entry
    WHERE state IN ('unhandled', 'parked', 'dead') AND state IN ('parked', 'dead')`)
  const getOldestDue = db.prepare('SELECT min(due_at) AS due_at FROM entry WHERE ready = 1')
  /** Steps from account to account in the index, and reads no more of each than its deauthorizations; then those that are noted. */
  const listAccounts = db.prepare(`
    WITH RECURSIVE known(account) AS (
      SELECT min(account) FROM entry WHERE account IS NOT NULL
      UNION ALL
      SELECT (SELECT min(account) FROM entry WHERE account IS NOT NULL AND account > known.account) FROM known WHERE known.account IS NOT NULL
    )
    SELECT account, (SELECT max(coalesce(created_at, received_at)) FROM entry
                     WHERE entry.account = known.account AND type IN ${DEAUTHORIZED}) AS left_at
    FROM (
      SELECT account FROM known WHERE account GLOB 'acct_*'
      UNION SELECT substr(name, length('${ACCOUNT_NOTE}') + 1) FROM note WHERE name GLOB '${ACCOUNT_NOTE}acct_*'
      UNION SELECT substr(name, length('${THIN_ACCOUNT_NOTE}') + 1) FROM note WHERE name GLOB '${THIN_ACCOUNT_NOTE}acct_*'
    ) AS known`)
  /** Of what came from that number on. Seconds: snapshots tell no more. */
  const isBack = db.prepare(`
    SELECT 1 FROM entry
    WHERE account = :account AND seq >= :first AND type NOT IN ${DEAUTHORIZED} AND created_at / 1000 > :left_at / 1000 LIMIT 1`)
  const readNote = db.prepare('SELECT value FROM note WHERE name = ?')
  const seqOf = db.prepare('SELECT seq FROM entry WHERE event_id = ?')
  const isAnyIn = db.prepare('SELECT 1 FROM entry WHERE seq >= ? AND seq < ? LIMIT 1')
  const listFigures = db.prepare('SELECT at, counted FROM figures WHERE at >= ? ORDER BY at')
  const listActions = db.prepare('SELECT id, at, state, facts FROM action WHERE id < ? ORDER BY id DESC LIMIT ?')
  const listActionsIn = db.prepare(`
    SELECT id, at, state, facts FROM action WHERE state = ? AND id < ? ORDER BY id DESC LIMIT ?`)
  const lastBefore = db.prepare('SELECT max(seq) AS seq FROM entry WHERE seq < ?')
  const idAt = db.prepare('SELECT event_id FROM entry WHERE seq >= ? ORDER BY seq LIMIT 1')
  const findLane = db.prepare('SELECT lane, object_id FROM entry WHERE event_id = ?')
  const listLaneOfObject = db.prepare('SELECT * FROM entry WHERE object_id = ? AND lane = ? ORDER BY seq DESC LIMIT ?')
  const listLane = db.prepare('SELECT * FROM entry WHERE seq > ? AND lane = ? ORDER BY seq DESC LIMIT ?')
  const seqRange = db.prepare('SELECT (SELECT min(seq) FROM entry) AS first, (SELECT max(seq) FROM entry) AS last')

  return {
    ...forwards,

    /** The entry with its body, its attempts and its forwards; undefined when the id is unknown. */
    get(eventId: string): { row: Row; attempts: Row[]; forwards: ReturnType<typeof forwards.forwardsOf> } | undefined {
      // All of one moment: else its state and its history could tell of two.
      db.exec('BEGIN')
      try {
        const row = getEntry.get(eventId)
        if (row === undefined) return undefined
        return { row, attempts: listAttempts.all(row.seq ?? null), forwards: forwards.forwardsOf(Number(row.seq)) }
      } finally {
        db.exec('COMMIT')
      }
    },

    lookUp: (eventIds: readonly string[]): Row[] => lookUp.all(JSON.stringify(eventIds)),
    counts: (): Row[] => [...countUnhandledOrOpen.all(), ...countAll.all()],

    oldestPendingMs(): number | null {
      const dueAt = getOldestDue.get()?.due_at
      return typeof dueAt === 'number' && dueAt <= Date.now() ? Date.now() - dueAt : null
    },

    undealt(): Undealt {
      const { entries, settled_at } = countUndealt.get() ?? {}
      return { entries: Number(entries), oldestMs: typeof settled_at === 'number' ? Date.now() - settled_at : null }
    },

    accounts(): string[] {
      const isConnected = ({ account, left_at }: Row) => {
        if (typeof account !== 'string' || typeof left_at !== 'number') return true
        return isBack.get({ account, left_at, first: findSeq(left_at - CLOCKS_APART_MS) }) !== undefined
      }
      return listAccounts
        .all()
        .filter(isConnected)
        .map(({ account }) => String(account))
    },

    readNote(name: string): string | null {
      const value = readNote.get(name)?.value
      return typeof value === 'string' ? value : null
    },

    list: (filter: EntryFilter, page: Page): Promise<Row[]> => search(filter, page, Infinity).then(({ rows }) => rows),

    async search(filter: EntryFilter, page: Page): Promise<{ rows: Row[]; olderThan: string | null }> {
      const { rows, olderThan } = await search(filter, page, SEARCHED)
      return { rows, olderThan }
    },

    /** Groups in any order, with the first and last entry of each by number. */
    async summarize(
      filter: EntryFilter,
      page: Pick<Page, 'before'>,
    ): Promise<{ rows: Row[]; olderThan: string | null }> {
      const { table, text, values, isIndexed } = toConditions(filter)
      const summarize = db.prepare(`
        SELECT state, type, substr(reason, 1, min(200, instr(reason || char(10), char(10)) - 1)) AS reason, count(*) AS entries,
               min(received_at) AS oldest_at, max(received_at) AS newest_at, min(seq) AS first_seq, max(seq) AS last_seq
        FROM ${table} WHERE seq >= ? AND seq < ?${text} GROUP BY 1, 2, 3`)
      const rows: Row[] = []
      const range = rangeOf(filter, page)
      const low = isIndexed ? range.low : Math.max(range.low, range.high - SEARCHED)
      for await (const window of windows({ low, high: range.high }, isIndexed)) {
        rows.push(...summarize.all(window.low, window.high, ...values))
      }
      return { rows, olderThan: isAnyIn.get(range.low, low) ? eventIdAt(low) : null }
    },

    eventIdAt,

    figures: (sinceMs: number): Row[] =>
      listFigures.all(Date.now() - sinceMs).map((row) => ({ ...row, counted: JSON.parse(String(row.counted)) })),

    actions({ limit, before = Number.MAX_SAFE_INTEGER, state }: Parameters<Inbox['actions']>[0]): Row[] {
      const rows = state === undefined ? listActions.all(before, limit) : listActionsIn.all(state, before, limit)
      return rows.map((row) => ({ ...row, facts: JSON.parse(String(row.facts)) }))
    },

    /** By its object where it names one; else among the newest. */
    lane(eventId: string, limit: number): Row[] {
      const found = findLane.get(eventId)
      if (found === undefined) return []
      const { lane = null, object_id: objectId } = found
      const after = Number(seqRange.get()?.last ?? 0) - SEARCHED
      const rows = objectId ? listLaneOfObject.all(objectId, lane, limit) : listLane.all(after, lane, limit)
      return rows.toReversed()
    },
  }

  /** The numbers of those that a filter's ages and a page leave. */
  function rangeOf(
    { receivedWithinMs, receivedBeforeMs }: EntryFilter,
    { before, downTo }: Pick<Page, 'before' | 'downTo'>,
  ): Range {
    const all = seqRange.get()
    const oldest = receivedWithinMs === undefined ? Number(all?.first ?? 1) : findSeq(Date.now() - receivedWithinMs)
    const low = downTo === undefined ? oldest : Math.max(oldest, Number(seqOf.get(downTo)?.seq ?? Infinity))
    const newest =
      receivedBeforeMs === undefined ? Number(all?.last ?? 0) + 1 : findSeq(Date.now() - receivedBeforeMs + 1)
    const high = before === undefined ? newest : Math.min(newest, Number(seqOf.get(before)?.seq ?? 0))
    // Behind one that is there: numbers have gaps, and what is looked at goes by them.
    return { low, high: Number(lastBefore.get(high)?.seq ?? 0) + 1 }
  }

  /** Entries that match, newest first, of the last `most`. */
  async function search(
    filter: EntryFilter,
    page: Page,
    most: number,
  ): Promise<{ rows: Row[]; olderThan: string | null }> {
    const range = rangeOf(filter, page)
    const { table, text, values, isIndexed } = toConditions(filter)
    const find = db.prepare(`SELECT * FROM ${table} WHERE seq >= ? AND seq < ?${text} ORDER BY seq DESC LIMIT ?`)
    const low = isIndexed ? range.low : Math.max(range.low, range.high - most)
    const rows: Row[] = []
    for await (const window of windows({ low, high: range.high }, isIndexed)) {
      rows.push(...find.all(window.low, window.high, ...values, page.limit - rows.length))
      if (rows.length === page.limit) return { rows, olderThan: null }
    }
    return { rows, olderThan: isAnyIn.get(range.low, low) ? eventIdAt(low) : null }
  }

  function eventIdAt(seq: number): string | null {
    const eventId = idAt.get(seq)?.event_id
    return typeof eventId === 'string' ? eventId : null
  }
}

interface Range {
  readonly low: number
  readonly high: number
}

/** Newest first; one when an index serves. Others get their turn between them. */
async function* windows({ low, high }: Range, isIndexed: boolean): AsyncGenerator<Range> {
  for (let end = high; end > low; await nextTurn()) {
    const start = isIndexed ? low : Math.max(low, end - WINDOW)
    yield { low: start, high: end }
    end = start
  }
}
