import type { EntryState } from '../../event.ts'
import type { EntryFilter } from '../inbox.ts'

/** A filter's conditions but for its ages, with the values that they bind. */
export interface Conditions {
  readonly text: string
  /** How the table is named: with an index that SQLite would not take by itself. */
  readonly table: string
  readonly values: readonly (string | number)[]
  /** Whether an index leads to the entries that meet them; else all have to be looked at. */
  readonly isIndexed: boolean
}

const SET_ASIDE: readonly EntryState[] = ['unhandled', 'parked', 'dead']

/** The conditions of partial indexes stand here word for word, without which they are not used. */
export function toConditions(filter: EntryFilter): Conditions {
  const { states, type, account, objectId, eventId, value, shape, source, reason, isFailing, isUnanswered } = filter
  const conditions: [string, ...(string | number)[]][] = []
  const isSetAside = states?.every((state) => SET_ASIDE.includes(state)) === true
  if (isFailing) conditions.push(["state IN ('pending', 'dead') AND reason IS NOT NULL"])
  if (isUnanswered) conditions.push(['decision IS NULL'])
  if (isSetAside) conditions.push(["state IN ('unhandled', 'parked', 'dead')"])
  if (states !== undefined) conditions.push([`state IN (${states.map(() => '?').join()})`, ...states])
  // Stripe's v2 types hold brackets, which GLOB would take for a set of characters.
  if (type !== undefined) conditions.push(['type GLOB ?', type.replace(/[[?]/g, '[$&]')])
  // Few are set aside: without the sign the account's index would be taken, which has many more.
  if (account !== undefined) conditions.push([isSetAside ? '+account = ?' : 'account = ?', account])
  if (objectId !== undefined) conditions.push(['object_id = ?', objectId])
  if (eventId !== undefined) conditions.push(['event_id = ?', eventId])
  if (value !== undefined) conditions.push(['seq IN (SELECT seq FROM value WHERE value = ?)', value])
  if (shape !== undefined) conditions.push(['shape = ?', shape])
  if (source !== undefined) conditions.push(['source = ?', source])
  if (reason !== undefined) conditions.push([`reason LIKE ? ESCAPE '\\'`, `%${reason.replace(/[\\%_]/g, '\\$&')}%`])
  return {
    table: isFailing ? 'entry INDEXED BY entry_failing' : 'entry',
    text: conditions.map(([condition]) => ` AND ${condition}`).join(''),
    values: conditions.flatMap(([, ...bound]) => bound),
    isIndexed:
      isFailing === true || isSetAside || [account, objectId, eventId, value].some((given) => given !== undefined),
  }
}
