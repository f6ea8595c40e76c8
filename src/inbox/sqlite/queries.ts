import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { EntryState } from '../../event.ts'
import {
  ACCOUNT_NOTE,
  CLOCKS_APART_MS,
  DEAUTHORIZED,
  type EntryFilter,
  type Page,
  THIN_ACCOUNT_NOTE,
  type Undealt,
} from '../inbox.ts'
import type { Row } from '../rows.ts'
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
  const getEntry = db.prepare(`
    SELECT *, (SELECT body FROM payload WHERE payload.seq = entry.seq) AS body FROM entry WHERE event_id = ?`)
  const listAttempts = db.prepare('SELECT * FROM attempt WHERE seq = ? ORDER BY replay, number')
  const lookUp = db.prepare(`
    SELECT event_id, type, state, EXISTS (SELECT 1 FROM payload WHERE payload.seq = entry.seq) AS has_body
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
  /** Steps from type to type of the account, and reads of each what came from that number on. Seconds: snapshots tell no more. */
  const isBack = db.prepare(`
    WITH RECURSIVE known(type) AS (
      SELECT min(type) FROM entry WHERE account = :account
      UNION ALL
      SELECT (SELECT min(type) FROM entry WHERE account = :account AND type > known.type) FROM known WHERE known.type IS NOT NULL
    )
    SELECT 1 FROM known
    WHERE type NOT IN ${DEAUTHORIZED}
      AND EXISTS (SELECT 1 FROM entry WHERE account = :account AND entry.type = known.type AND seq >= :first
                                        AND created_at / 1000 > :left_at / 1000)
    LIMIT 1`)
  const readNote = db.prepare('SELECT value FROM note WHERE name = ?')
  const seqOf = db.prepare('SELECT seq FROM entry WHERE event_id = ?')
  const seqRange = db.prepare('SELECT (SELECT min(seq) FROM entry) AS first, (SELECT max(seq) FROM entry) AS last')

  return {
    /** The entry with its body and its attempts; undefined when the id is unknown. */
    get(eventId: string): { row: Row; attempts: Row[] } | undefined {
      const row = getEntry.get(eventId)
      return row && { row, attempts: listAttempts.all(row.seq ?? null) }
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

    /** Entries that match, newest first. */
    async list(filter: EntryFilter, { limit, before }: Page): Promise<Row[]> {
      const range = seqRange.get()
      const beforeSeq = before === undefined ? Number(range?.last ?? 0) + 1 : Number(seqOf.get(before)?.seq ?? 0)
      const since = filter.receivedWithinMs
      const firstSeq = since === undefined ? Number(range?.first ?? 1) : findSeq(Date.now() - since)
      const { conditions, values, isIndexed } = toConditions(filter)
      const search = db.prepare(`
        SELECT * FROM entry WHERE ${['seq >= ?', 'seq < ?', ...conditions].join(' AND ')} ORDER BY seq DESC LIMIT ?`)
      const rows: Row[] = []
      for (let high = beforeSeq; high > firstSeq && rows.length < limit; ) {
        const low = isIndexed ? firstSeq : Math.max(firstSeq, high - WINDOW)
        rows.push(...search.all(low, high, ...values, limit - rows.length))
        high = low
        await nextTurn()
      }
      return rows
    },
  }
}

const SET_ASIDE: readonly EntryState[] = ['unhandled', 'parked', 'dead']

/** The filter's conditions but for its age, and whether an index leads to the entries that meet them. */
function toConditions({ states, type, account }: EntryFilter) {
  const conditions: [string, ...(string | number)[]][] = []
  const isSetAside = states?.every((state) => SET_ASIDE.includes(state)) === true
  // Word for word the condition of the partial index, without which it is not used.
  if (isSetAside) conditions.push(["state IN ('unhandled', 'parked', 'dead')"])
  if (states !== undefined) conditions.push([`state IN (${states.map(() => '?').join()})`, ...states])
  // Stripe's v2 types hold brackets, which GLOB would take for a set of characters.
  if (type !== undefined) conditions.push(['type GLOB ?', type.replace(/[[?]/g, '[$&]')])
  if (account !== undefined) conditions.push(['account = ?', account])
  return {
    conditions: conditions.map(([condition]) => condition),
    values: conditions.flatMap(([, ...bound]) => bound),
    isIndexed: isSetAside || account !== undefined,
  }
}
