import type { EntryState } from '../../event.ts'
import type { EntryFilter, Page } from '../inbox.ts'
import type { Statement } from './connection.ts'
import { findSeq } from './find-seq.ts'

/** What a filter and a page ask for. */
export interface Conditions {
  /** `WHERE …`, or nothing when everything matches. */
  readonly clause: string
  readonly values: readonly unknown[]
  /** Whether an index leads to the entries that meet them; else all have to be looked at. */
  readonly isIndexed: boolean
}

const SET_ASIDE: readonly EntryState[] = ['unhandled', 'parked', 'dead']

/** The conditions of partial indexes stand here word for word, so that the planner knows them. */
export function toConditions(filter: EntryFilter, { before, downTo }: Pick<Page, 'before' | 'downTo'>): Conditions {
  const { states, type, account, objectId, eventId, value, shape, source, reason, isFailing, isUnanswered } = filter
  const values: unknown[] = []
  const conditions: string[] = []
  const where = (condition: (parameter: string) => string, given: unknown) =>
    given !== undefined && conditions.push(condition(`$${values.push(given)}`))
  const isSetAside = states?.every((state) => SET_ASIDE.includes(state)) === true
  if (isFailing) conditions.push("state IN ('pending', 'dead') AND reason IS NOT NULL")
  if (isUnanswered) conditions.push('decision IS NULL')
  if (isSetAside) conditions.push("state IN ('unhandled', 'parked', 'dead')")
  where((given) => `state = ANY (${given})`, states)
  where((given) => `type LIKE ${given}`, type && toPattern(type).replaceAll('*', '%'))
  where((given) => `account = ${given}`, account)
  where((given) => `object_id = ${given}`, objectId)
  where((given) => `event_id = ${given}`, eventId)
  where((given) => `seq IN (SELECT seq FROM value WHERE value = ${given})`, value)
  where((given) => `shape = ${given}`, shape)
  where((given) => `source = ${given}`, source)
  where((given) => `reason ILIKE ${given}`, reason && `%${toPattern(reason)}%`)
  where((given) => `seq >= (${findSeq(ago(given))})`, filter.receivedWithinMs)
  where((given) => `seq < (${findSeq(`${ago(given)} + interval '1 millisecond'`)})`, filter.receivedBeforeMs)
  where((given) => `seq < (SELECT seq FROM entry WHERE event_id = ${given})`, before)
  where((given) => `seq >= (SELECT seq FROM entry WHERE event_id = ${given})`, downTo)
  return {
    clause: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`,
    values,
    isIndexed:
      isFailing === true || isSetAside || [account, objectId, eventId, value].some((given) => given !== undefined),
  }
}

const ago = (durationMs: string) => `now() - ${durationMs} * interval '1 millisecond'`

/** The statement for entries that match, newest first. */
export function selectEntries({ clause, values }: Pick<Conditions, 'clause' | 'values'>, limit: number): Statement {
  return {
    text: `SELECT * FROM entry ${clause} ORDER BY seq DESC LIMIT $${values.length + 1}`,
    values: [...values, limit],
  }
}

/** Text as LIKE takes it for itself. */
function toPattern(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}
