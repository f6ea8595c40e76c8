import { ReceiverError } from '../../errors.ts'
import { createClock } from './clock.ts'
import { findFault, toOpenError, toReceiverError } from './faults.ts'
import { openSqliteFile, type SqliteFile } from './file.ts'
import { type Operation, perform, type Results } from './operations.ts'
import { type Answered, type Asked, type Served, type ThreadFailure, toFailure } from './serve-thread.ts'
import { prepareStatements, type Statements } from './statements.ts'
import { freeLostLeases, isAnythingToClaim } from './work.ts'

export interface WriterData {
  readonly path: string
  readonly as: 'server' | 'command'
  /** Of the leases of this process, over all its threads. */
  readonly owner: string
  /** Names of those that it holds: the thread before may have given more, which nobody was told of. */
  readonly held: readonly string[]
}

/** Operations with the bodies that they add, or the question whether anything can be written now. */
export type WriteRequest =
  | { readonly operations: readonly Operation[]; readonly bodies: Uint8Array<ArrayBuffer> }
  | 'check'

export interface WriteAnswer {
  /** What each operation gives, in order; undefined for those that failed. */
  readonly values: readonly unknown[]
  readonly failures: readonly (readonly [index: number, failure: ThreadFailure])[]
  /** The transaction, told once: its operations, and how long it took, sync included. */
  readonly commit?: { readonly items: number; readonly durationMs: number }
}

type Outcome = { readonly value: unknown } | { readonly error: unknown }
type Batch = readonly {
  readonly id: number
  readonly operations: readonly Operation[]
  readonly bodies: Uint8Array<ArrayBuffer>
}[]

/** So many adds take about 5 ms: what comes meanwhile waits for no more than that and a sync. */
const MAX_BATCH = 256
/** Of the log that the file does not have yet: 2 MiB. */
const CHECKPOINT_PAGES = 128

/** What the thread that writes does: opens the inbox's file, as openSqliteFile says, and answers by `reply`. */
export function openWriter(
  data: WriterData,
  reply: (answers: readonly Answered<WriteAnswer>[]) => void,
): Served<WriteRequest> {
  const file = openSqliteFile(data.path, data.as)
  try {
    return createWriter(file, data, reply)
  } catch (error) {
    file.close()
    throw toOpenError(file.path, error)
  }
}

/** The one connection that writes: whatever has queued up becomes one transaction. */
function createWriter(
  file: SqliteFile,
  { as, owner, held }: WriterData,
  reply: (answers: readonly Answered<WriteAnswer>[]) => void,
): Served<WriteRequest> {
  const sql = prepareStatements(file.db)
  const commit = createCommit(file)
  const clock = createClock()
  let isWriteFailing = false
  /** Why nothing is written any more, once SQLite found the file damaged. */
  let damage: string | undefined

  function commitAlone(work: () => unknown): void {
    const [outcome] = commit([work])
    if (outcome !== undefined && 'error' in outcome) throw outcome.error
  }

  function write(batch: Batch): void {
    const startedAt = performance.now()
    const operations = batch.flatMap((asked) => asked.operations)
    const isIdle = operations.every((operation) => findsNothing(operation, clock()))
    const outcomes: Outcome[] = isIdle ? operations.map(toNothing) : commitAll(batch)
    const spent = { items: operations.length, durationMs: performance.now() - startedAt }
    const answers = batch.map(({ id, operations: own }, index) => {
      const answer = toAnswer(outcomes.splice(0, own.length))
      return { id, answer: index === 0 && !isIdle ? { ...answer, commit: spent } : answer }
    })
    reply(answers)
    // At once: the collector would let them wait, and they are the largest part of what a flood takes.
    for (const { bodies } of batch) bodies.buffer.transfer(0)
  }

  /** Whether it is a claim of what there is none of. */
  function findsNothing(operation: Operation, now: number): boolean {
    if (operation[0] === 'claim') return !isAnythingToClaim(sql, now)
    if (operation[0] !== 'claimForwards') return false
    return operation[1].every(({ target }) => sql.forwards.isAnyDue.get(target, now) === undefined)
  }

  function commitAll(batch: Batch): Outcome[] {
    let held: boolean | undefined
    const isHeld = () => (held ??= sql.isHeld.get() !== undefined)
    const writing = { sql, owner, now: clock(), isHeld }
    const work = batch.flatMap(({ operations, bodies }) =>
      operations.map((operation) => () => perform(writing, operation, bodies)),
    )
    if (damage === undefined) return commit(work)
    const error = new ReceiverError('store_unavailable', damage)
    return work.map(() => ({ error }))
  }

  function toAnswer(outcomes: readonly Outcome[]): WriteAnswer {
    const failures: (readonly [number, ThreadFailure])[] = []
    const values = outcomes.map((outcome, index) => {
      if ('value' in outcome) return outcome.value
      failures.push([index, toFailure(judge(outcome.error))])
      return undefined
    })
    return { values, failures }
  }

  /** What SQLite threw, as what callers are told. */
  function judge(error: unknown): unknown {
    const fault = findFault(error)
    const told = toReceiverError(error)
    isWriteFailing ||= fault !== undefined
    if (fault?.isDamage && told instanceof ReceiverError) damage ??= told.message
    return told
  }

  function check(): void {
    file.assertInPlace()
    if (damage !== undefined) throw new ReceiverError('store_unavailable', damage)
    if (!isWriteFailing) return void sql.isReadable.get()
    commitAlone(() => sql.fillProbe.run())
    commitAlone(() => sql.emptyProbe.run())
    isWriteFailing = false
  }

  function answerCheck(id: number): Answered<WriteAnswer> {
    try {
      check()
      return { id, answer: NOTHING_WRITTEN }
    } catch (error) {
      return { id, failure: toFailure(judge(error)) }
    }
  }

  // No other server can be running: what this one does not hold is lost.
  if (as === 'server') commitAlone(() => freeLostLeases({ sql, owner, now: clock() }, held))

  return {
    handle(first, next) {
      const batch: { id: number; operations: readonly Operation[]; bodies: Uint8Array<ArrayBuffer> }[] = []
      let items = 0
      for (let asked: Asked<WriteRequest> | undefined = first; asked !== undefined; ) {
        const { id, request } = asked
        if (request === 'check') reply([answerCheck(id)])
        else {
          batch.push({ id, ...request })
          items += request.operations.length
        }
        asked = items < MAX_BATCH ? next() : undefined
      }
      if (batch.length > 0) write(batch)
      // The answers are on their way: what is durable does not wait for this.
      writeLogBack(sql)
    },
    close: file.close,
  }
}

const NOTHING_DUE: Results['claim'] & Results['claimForwards'] = { rows: [], heldBack: 0 }
const toNothing = (): Outcome => ({ value: NOTHING_DUE })
const NOTHING_WRITTEN: WriteAnswer = { values: [], failures: [] }

/**
 * One transaction for all of the work. When some of it fails by its own fault, each runs again by itself, so that it fails alone.
 */
function createCommit({ db, assertInPlace }: SqliteFile): (work: readonly (() => unknown)[]) => Outcome[] {
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')

  return function commitAll(work): Outcome[] {
    try {
      assertInPlace()
      begin.run()
      const outcomes = work.map((operation) => ({ value: operation() }))
      commit.run()
      return outcomes
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      const isShared = error instanceof ReceiverError || findFault(error) !== undefined
      if (work.length === 1 || isShared) return work.map(() => ({ error }))
      return work.flatMap((operation) => commitAll([operation]))
    }
  }
}

/** Writes the log back to the file once there is enough of it, so that it is written over and does not grow. */
function writeLogBack(sql: Statements): void {
  try {
    const { log, checkpointed } = sql.measureLog.get() ?? {}
    if (Number(log) - Number(checkpointed) >= CHECKPOINT_PAGES) sql.checkpoint.get()
  } catch (error) {
    // What keeps it from being written back keeps the next transaction from being written too, and is told there.
    if (findFault(error) === undefined) throw error
  }
}
