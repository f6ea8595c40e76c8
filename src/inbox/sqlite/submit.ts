import { ReceiverError } from '../../errors.ts'
import type { OnCommit } from '../inbox.ts'
import { createRoom } from '../room.ts'
import { ANSWER_WITHIN_MS } from '../within.ts'
import type { Operation, Results } from './operations.ts'
import { type Thread, toError } from './thread.ts'
import type { WriteAnswer, WriteRequest } from './writer.ts'

export interface Submitting {
  /**
   * Hands an operation to the writing thread; `body` is that of an `add`. Resolves once it is durable, with what it gave. An add
   * rejects with `overloaded` when too much waits already, and with `store_unavailable` when its sender can wait no longer.
   */
  submit<Name extends Operation[0]>(
    operation: Operation & readonly [Name, ...unknown[]],
    body?: Uint8Array,
  ): Promise<Name extends keyof Results ? Results[Name] : undefined>
  /** Sends what waits for the end of this turn. */
  flush(): void
}

export interface SubmittingOptions {
  readonly writer: Thread<WriteRequest, WriteAnswer>
  readonly onCommit: OnCommit | undefined
  /** Told of what an add gave after its sender was told that it failed. */
  readonly onLate: (added: Results['add']) => void
}

interface Submitted {
  readonly operation: Operation
  readonly body: Uint8Array | undefined
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** Of one message. What one turn of the event loop brings is less; a flood is cut into transactions of this size. */
const MAX_OPERATIONS = 256
/** A thread that is silent for so much longer is taken for hung, and ended as soon as it can be. */
const HUNG_AFTER_MS = 8_000

/**
 * Packs what was submitted in one turn of the event loop into one message with one buffer for all bodies: a body from a socket is
 * a view of a large slab, and cloning a view clones the slab. A message takes 2 µs for each add, on both sides together.
 */
export function createSubmitting({ writer, onCommit, onLate }: SubmittingOptions): Submitting {
  const room = createRoom()
  let turn: Submitted[] = []

  function flush(): void {
    const submitted = turn
    turn = []
    for (let start = 0; start < submitted.length; start += MAX_OPERATIONS) {
      void send(submitted.slice(start, start + MAX_OPERATIONS))
    }
  }

  /** Never rejects: each of them is told. */
  async function send(batch: readonly Submitted[]): Promise<void> {
    let isLate = false
    let timer = setTimeout(() => {
      isLate = true
      for (const { body, reject } of batch) if (body !== undefined) reject(tooLate())
      timer = setTimeout(writer.kill, HUNG_AFTER_MS)
    }, ANSWER_WITHIN_MS)
    try {
      const request = pack(batch)
      const { values, failures, commit } = await writer.ask(request, [request.bodies.buffer])
      for (const [index, failure] of failures) batch[index]?.reject(toError(failure))
      for (const [index, { resolve }] of batch.entries()) resolve(values[index])
      // The thread gives for each add what Results say.
      if (isLate) for (const [index, { body }] of batch.entries()) if (body) onLate(values[index] as Results['add'])
      if (commit !== undefined) onCommit?.(commit.items, commit.durationMs)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    } finally {
      clearTimeout(timer)
      for (const { body } of batch) if (body !== undefined) room.give(body.length)
    }
  }

  return {
    submit: (operation, body) =>
      new Promise((resolve, reject) => {
        if (body !== undefined) room.take(body.length)
        // setImmediate runs after the sockets that were readable in this turn, so all that they brought is in the message.
        if (turn.length === 0) setImmediate(flush)
        // The thread gives for each operation what Results say.
        turn.push({ operation, body, resolve: resolve as (value: unknown) => void, reject })
      }),
    flush,
  }
}

const tooLate = () =>
  new ReceiverError('store_unavailable', `The inbox's thread did not answer within ${ANSWER_WITHIN_MS} ms.`)

function pack(batch: readonly Submitted[]): { operations: Operation[]; bodies: Uint8Array<ArrayBuffer> } {
  // Every byte is written below; no other memory shares the buffer, which goes to the thread as a whole.
  const bodies = Buffer.allocUnsafeSlow(batch.reduce((bytes, { body }) => bytes + (body?.length ?? 0), 0))
  let end = 0
  const operations = batch.map(({ operation, body }): Operation => {
    if (operation[0] !== 'add' || body === undefined) return operation
    const start = end
    bodies.set(body, start)
    end += body.length
    const [, values, , , ...rest] = operation
    return ['add', values, start, end, ...rest]
  })
  return { operations, bodies }
}
