import { Worker } from 'node:worker_threads'
import { ReceiverError, type ReceiverErrorCode } from '../errors.ts'
import type { OnCommit } from './group-commit.ts'
import type { Inbox } from './inbox.ts'
import type { Call, CallBatch, ThreadMessage } from './sqlite-thread-messages.ts'

/** Small, because what lives in the thread lives for one batch. */
const THREAD_MEMORY = { maxYoungGenerationSizeMb: 8 }

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
}

/** The SQLite store of a server, working in a thread of its own. Throws as openSqliteInbox does. */
export async function openSqliteThreadedInbox(path: string, onCommit?: OnCommit): Promise<Inbox> {
  const thread = new Worker(new URL('./sqlite-thread.ts', import.meta.url), {
    workerData: path,
    resourceLimits: THREAD_MEMORY,
  })
  const waiting = new Map<number, Waiting>()
  let calls: Call[] = []
  let bodies: Uint8Array[] = []
  let bodyBytes = 0
  let lastId = 0
  let isClosed = false

  thread.on('message', ({ replies, commits }: ThreadMessage) => {
    for (const [items, durationMs] of commits) onCommit?.(items, durationMs)
    for (const reply of replies) {
      const { resolve, reject } = waiting.get(reply.id) ?? {}
      waiting.delete(reply.id)
      if ('value' in reply) resolve?.(reply.value)
      else reject?.(toError(reply))
    }
  })
  // A fault of the store itself: the process can't keep its promises without it, and a new one can.
  thread.on('error', (error) => {
    throw error
  })

  function answer(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
  }

  function send(call: Call): Promise<unknown> {
    if (isClosed) return Promise.reject(new ReceiverError('store_unavailable', 'The inbox is closed.'))
    calls.push(call)
    // What comes in one turn of the event loop crosses in one message, and shares a transaction.
    if (calls.length === 1) setImmediate(post)
    return answer(call.id)
  }

  function post(): void {
    // One copy into memory of its own, which then moves: a body is a view into a socket's much larger buffer.
    const batch: CallBatch = { calls, bodies: concatBytes(bodies, bodyBytes) }
    calls = []
    bodies = []
    bodyBytes = 0
    thread.postMessage(batch, [batch.bodies.buffer])
  }

  function forward<Method extends Exclude<keyof Inbox, 'add' | 'claim'>>(method: Method): Inbox[Method] {
    const call = (...args: unknown[]) => send({ id: ++lastId, method, args })
    // The thread calls the method of that name with these arguments, and sends back what it gives.
    return call as Inbox[Method]
  }

  await answer(0).catch(async (error) => {
    await thread.terminate()
    throw error
  })
  return {
    add({ body, ...facts }) {
      const from = bodyBytes
      bodies.push(body)
      bodyBytes += body.length
      const call = { id: ++lastId, method: 'add', args: [{ ...facts, from, to: bodyBytes }] } as const
      // The thread answers an add with what the store's own gave.
      return send(call) as ReturnType<Inbox['add']>
    },
    // As above, of a claim.
    claim: (request) => send({ id: ++lastId, method: 'claim', args: [request] }) as ReturnType<Inbox['claim']>,
    settle: forward('settle'),
    get: forward('get'),
    list: forward('list'),
    counts: forward('counts'),
    oldestPendingMs: forward('oldestPendingMs'),
    accounts: forward('accounts'),
    readNote: forward('readNote'),
    writeNote: forward('writeNote'),
    takeTurn: forward('takeTurn'),
    replay: forward('replay'),
    prune: forward('prune'),
    check: forward('check'),
    async close() {
      if (isClosed) return
      const closed = send({ id: ++lastId, method: 'close', args: [] })
      isClosed = true
      await closed
      await thread.terminate()
    },
  }
}

function toError({ code, message }: { code: ReceiverErrorCode | null; message: string }): Error {
  return code === null ? new Error(message) : new ReceiverError(code, message)
}

function concatBytes(parts: readonly Uint8Array[], byteLength: number): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(byteLength)
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}
