import type { OnCommit } from '../inbox.ts'
import type { Operation, Results } from './operations.ts'
import { type Thread, toError } from './thread.ts'
import type { WriteAnswer, WriteRequest } from './writer.ts'

export interface Submitting {
  /** Hands an operation to the writing thread; `body` is that of an `add`. Resolves once it is durable, with what it gave. */
  readonly submit: Submit
  /** Sends what waits for the end of this turn. */
  flush(): void
}

export type Submit = <Name extends Operation[0]>(
  operation: Operation & readonly [Name, ...unknown[]],
  body?: Uint8Array,
) => Promise<Name extends keyof Results ? Results[Name] : undefined>

interface Submitted {
  readonly operation: Operation
  readonly body: Uint8Array | undefined
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** Of one message. What one turn of the event loop brings is less; a flood is cut into transactions of this size. */
const MAX_OPERATIONS = 256
/** A thread that is silent for so long is taken for hung, and ended as soon as it can be. */
const HUNG_AFTER_MS = 10_000

/**
 * Packs what was submitted in one turn of the event loop into one message with one buffer for all bodies: a body from a socket is
 * a view of a large slab, and cloning a view clones the slab. A message takes 2 µs for each add, on both sides together.
 */
export function createSubmitting(writer: Thread<WriteRequest, WriteAnswer>, onCommit?: OnCommit): Submitting {
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
    const hung = setTimeout(writer.kill, HUNG_AFTER_MS)
    try {
      const request = pack(batch)
      const { values, failures, commit } = await writer.ask(request, [request.bodies.buffer])
      for (const [index, failure] of failures) batch[index]?.reject(toError(failure))
      for (const [index, { resolve }] of batch.entries()) resolve(values[index])
      if (commit !== undefined) onCommit?.(commit.items, commit.durationMs)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    } finally {
      clearTimeout(hung)
    }
  }

  return {
    submit: (operation, body) =>
      new Promise((resolve, reject) => {
        // setImmediate runs after the sockets that were readable in this turn, so all that they brought is in the message.
        if (turn.length === 0) setImmediate(flush)
        // The thread gives for each operation what Results say.
        turn.push({ operation, body, resolve: resolve as (value: unknown) => void, reject })
      }),
    flush,
  }
}

function pack(batch: readonly Submitted[]): WriteRequest & { readonly bodies: Uint8Array<ArrayBuffer> } {
  const bodies = new Uint8Array(batch.reduce((bytes, { body }) => bytes + (body?.length ?? 0), 0))
  let end = 0
  const operations = batch.map(({ operation, body }): Operation => {
    if (operation[0] !== 'add' || body === undefined) return operation
    const start = end
    bodies.set(body, start)
    end += body.length
    const [, values, , , leaseMs] = operation
    return ['add', values, start, end, leaseMs]
  })
  return { operations, bodies }
}
