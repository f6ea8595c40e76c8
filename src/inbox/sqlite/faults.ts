import { ReceiverError } from '../../errors.ts'

/** Why SQLite cannot do its work now. */
export interface SqliteFault {
  readonly cause: string
  /** What an operator can do about it. */
  readonly advice: string
  /** It does not pass by itself, and writing on can spread it. */
  readonly isDamage: boolean
}

const WAIT = 'Wait for what holds it, such as a backup or an open sqlite3 shell, or stop it.'
const ALLOW = "Check the path in DATABASE_URL, the file's owner and permissions, and the disk."
const MAKE_ROOM = 'Make room on its disk.'
const RESTORE =
  'Stop the server and restore the file from a backup, or save what can be read with `sqlite3 <file> .recover`.'

/** Primary result codes of SQLite that mean "not now": nothing is wrong with the statement. sqlite.org/rescode.html */
const faults: ReadonlyMap<number, SqliteFault> = new Map([
  [3, { cause: 'permission denied', advice: ALLOW, isDamage: false }],
  [5, { cause: 'locked by another process', advice: WAIT, isDamage: false }],
  [6, { cause: 'locked', advice: WAIT, isDamage: false }],
  [8, { cause: 'read-only', advice: ALLOW, isDamage: false }],
  [10, { cause: 'disk I/O error', advice: 'Check the disk, and the room on it.', isDamage: false }],
  [11, { cause: 'the file is corrupt', advice: RESTORE, isDamage: true }],
  [13, { cause: 'the disk or its quota is full', advice: MAKE_ROOM, isDamage: false }],
  [14, { cause: 'the file cannot be opened', advice: ALLOW, isDamage: false }],
  [26, { cause: 'the file is not a database', advice: RESTORE, isDamage: true }],
])

/** As ReceiverError `store_unavailable` when SQLite cannot do its work now; else the error itself. */
export function toReceiverError(error: unknown): unknown {
  const fault = findFault(error)
  if (fault === undefined) return error
  return new ReceiverError('store_unavailable', `The inbox cannot be used now: ${fault.cause}. ${fault.advice}`)
}

/** Undefined when the error is of another kind, a bug. */
export function findFault(error: unknown): SqliteFault | undefined {
  return faults.get(primaryCode(error))
}

/** Whether another process holds a lock that was asked for. */
export function isLocked(error: unknown): boolean {
  return primaryCode(error) === 5
}

/** Whatever went wrong while opening the file, as ReceiverError `inbox_unusable` unless it is one already. */
export function toOpenError(file: string, error: unknown): ReceiverError {
  if (error instanceof ReceiverError) return error
  const message = error instanceof Error ? error.message : String(error)
  const { cause, advice } = findFault(error) ?? { cause: message, advice: ALLOW }
  return new ReceiverError('inbox_unusable', `Cannot open the inbox ${file}: ${cause}. ${advice}`)
}

function primaryCode(error: unknown): number {
  const hasCode = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
  return hasCode ? Number(error.errcode) & 0xff : 0
}
