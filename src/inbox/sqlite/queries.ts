import type { DatabaseSync } from 'node:sqlite'
import { type EntryState, entryStates } from '../../event.ts'
import type { EntryFilter } from '../inbox.ts'
import type { Row } from '../rows.ts'
import type { Statements } from './statements.ts'

/** Number of entries in each state. */
export function countStates(sql: Statements): Record<EntryState, number> {
  const rows = sql.countUnhandledOrOpen.all()
  const counted = new Map(rows.map((row) => [row.state, Number(row.entries)]))
  const rest = [...counted.values()].reduce((sum, entries) => sum + entries, 0)
  counted.set('handled', Number(sql.countAll.get()?.entries) - rest)
  // The keys are exactly the states.
  return Object.fromEntries(entryStates.map((state) => [state, counted.get(state) ?? 0])) as Record<EntryState, number>
}

const SET_ASIDE: readonly EntryState[] = ['unhandled', 'parked', 'dead']

/** Rows of the entries that match, newest first. */
export function selectEntries(
  db: DatabaseSync,
  filter: EntryFilter,
  { limit, before }: { readonly limit: number; readonly before?: string },
): Row[] {
  const conditions: [string, ...(string | number)[]][] = []
  const { states, type, account, receivedWithinMs } = filter
  // Word for word the condition of the partial index, without which it is not used.
  if (states?.every((state) => SET_ASIDE.includes(state))) conditions.push(["state IN ('unhandled', 'parked', 'dead')"])
  if (states !== undefined) conditions.push([`state IN (${states.map(() => '?').join()})`, ...states])
  // Stripe's v2 types hold brackets, which GLOB would take for a set of characters.
  if (type !== undefined) conditions.push(['type GLOB ?', type.replace(/[[?]/g, '[$&]')])
  if (account !== undefined) conditions.push(['account = ?', account])
  if (receivedWithinMs !== undefined) conditions.push(['received_at >= ?', Date.now() - receivedWithinMs])
  if (before !== undefined) conditions.push(['seq < (SELECT seq FROM entry WHERE event_id = ?)', before])
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(([condition]) => condition).join(' AND ')}`
  const values = conditions.flatMap(([, ...bound]) => bound)
  return db.prepare(`SELECT * FROM entry ${where} ORDER BY seq DESC LIMIT ?`).all(...values, limit)
}
