import { parentPort, workerData } from 'node:worker_threads'
import { ReceiverError } from '../errors.ts'
import type { Inbox } from './inbox.ts'
import { openSqliteInbox } from './sqlite-inbox.ts'
import type { Call, CallBatch, Reply, ThreadMessage } from './sqlite-thread-messages.ts'

// The thread that a server's SQLite store works in: its syncs block this event loop, and not the one that answers Stripe.

if (parentPort === null) throw new Error('this file is started as a thread by sqlite-threaded-inbox.ts')
const port = parentPort

let replies: Reply[] = []
const commits: [items: number, durationMs: number][] = []

function reply(answer: Reply): void {
  replies.push(answer)
  // All answers of one transaction come in one turn, and go out in one message.
  if (replies.length === 1) setImmediate(sendReplies)
}

function sendReplies(): void {
  const message: ThreadMessage = { replies, commits: commits.splice(0) }
  // The bodies of leases are the store's no more, so they move instead of being copied.
  const transferred = replies.flatMap((answer) => ('bodies' in answer ? answer.bodies : []))
  replies = []
  port.postMessage(message, transferred)
}

function toError(id: number, error: unknown): Reply {
  const code = error instanceof ReceiverError ? error.code : null
  return { id, code, message: error instanceof Error ? error.message : String(error) }
}

async function run(inbox: Inbox, { id, method, args }: Call, bodies: Uint8Array): Promise<Reply> {
  if (method === 'add') {
    const [{ from, to, ...entry }] = args
    return { id, value: await inbox.add({ ...entry, body: bodies.subarray(from, to) }) }
  }
  if (method === 'claim') {
    const leases = await inbox.claim(...args)
    return { id, value: leases, bodies: leases.map(({ body }) => body.buffer as ArrayBuffer) }
  }
  // The names and arguments of a call are those of one method; the compiler can't follow the pair through the index.
  const call = inbox[method] as (...given: unknown[]) => Promise<unknown>
  return { id, value: await call(...args) }
}

try {
  const inbox = openSqliteInbox(
    String(workerData),
    'server',
    (items, durationMs) => void commits.push([items, durationMs]),
  )
  port.on('message', ({ calls, bodies }: CallBatch) => {
    for (const call of calls) run(inbox, call, bodies).then(reply, (error) => reply(toError(call.id, error)))
  })
  reply({ id: 0, value: null })
} catch (error) {
  reply(toError(0, error))
}
