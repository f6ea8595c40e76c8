import { DatabaseError } from 'pg'
import { ReceiverError } from '../../errors.ts'

/** Beginnings of SQLSTATE that mean "not now": nothing is wrong with the statement. postgresql.org/docs/current/errcodes-appendix.html */
const UNAVAILABLE = [
  '08', // connection
  '0A000', // prepared before a migration changed the table: a new connection can
  '25006', // read-only: a standby, or a primary that was demoted
  '25P03', // was silent inside a transaction: this process did not run for a while
  '28', // login refused: a changed password
  '3D', // no such database
  '3F', // no such schema
  '40', // lost against another transaction, again and again
  '42501', // a right was taken away
  '42P01', // no such table: the schema was dropped
  '53', // out of disk, memory or connections
  '55P03', // locked
  '57', // shutting down, starting up, cancelled by a time limit
  '58', // input or output failed
  'XX', // damaged data
]

/** Why Postgres could not do its work now; undefined when the error is of another kind, a bug. Never holds the URL or the password. */
export function describeUnavailable(error: unknown): string | undefined {
  if (error instanceof DatabaseError) {
    const isUnavailable = UNAVAILABLE.some((beginning) => error.code?.startsWith(beginning))
    return isUnavailable ? `${error.message} (${error.code})` : undefined
  }
  // What the driver throws without a SQLSTATE is about the connection, unless it was called wrongly.
  const isWrongCall = error instanceof TypeError || error instanceof RangeError || error instanceof ReceiverError
  if (!(error instanceof Error) || isWrongCall) return undefined
  // Trying several addresses fails with an AggregateError, which has no message.
  return error.message || ('code' in error ? String(error.code) : error.name)
}

/** Indexes that let one of a lane run. */
const RUNNING_LANES = new Set<string | undefined>(['entry_running_lane', 'forward_running_lane'])

/** Whether it failed only because of what another transaction did meanwhile: the same again may succeed. */
export function isLostRace(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return false
  const isLaneTaken = error.code === '23505' && RUNNING_LANES.has(error.constraint)
  return isLaneTaken || error.code === '40001' || error.code === '40P01'
}

/** For a claim: others were faster again and again, so there is nothing to claim just now. */
export function ignoreLostRace(error: unknown): [] {
  if (isLostRace(error)) return []
  throw error
}

/** As `store_unavailable` when that is what it is; else the error itself. */
export function toReceiverError(error: unknown): unknown {
  const cause = describeUnavailable(error)
  return cause === undefined ? error : new ReceiverError('store_unavailable', `The inbox cannot be used now: ${cause}.`)
}
