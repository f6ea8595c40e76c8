import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import type { NewEntry } from '../../src/event.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { openSqliteInbox } from '../../src/inbox/sqlite-inbox.ts'
import { parseEnvelope } from '../../src/parse-envelope.ts'
import { type BenchContext, handlersPath, inboxFile, withFolder } from './bench-context.ts'
import { createDeliveries } from './deliveries.ts'
import { startServer } from './server-process.ts'

const ADDS_AT_ONCE = 1_000
const POLL_MS = 250
const TIMEOUT_MS = 120_000

/** Entries a second, from the first claim to the last settle, for each round. */
export async function measureDrain(context: BenchContext): Promise<readonly number[]> {
  const { plan, say } = context
  const rates: number[] = []
  for (let round = 1; round <= plan.rounds; round += 1) {
    say(`round ${round} of ${plan.rounds}: drain of ${plan.drainEntries.toLocaleString('en')} entries`)
    rates.push(await withFolder(context, (folder) => drain(folder, plan.drainEntries)))
  }
  return rates
}

async function drain(folder: string, count: number): Promise<number> {
  const file = inboxFile(folder)
  await fill(file, count)
  const env = { DATABASE_URL: `file:${file}`, HANDLERS: handlersPath('noop-handlers') }
  const server = await startServer('receiver', folder, env)
  try {
    await waitUntilDrained(file)
  } finally {
    await server.kill()
  }
  return readRate(file, count)
}

/** Through the store, as deliveries would. */
async function fill(file: string, count: number): Promise<void> {
  const inbox = openSqliteInbox(file, 'server')
  try {
    for (let added = 0; added < count; added += ADDS_AT_ONCE)
      await addAll(inbox, Math.min(ADDS_AT_ONCE, count - added), added)
  } finally {
    await inbox.close()
  }
}

async function addAll(inbox: Inbox, count: number, from: number): Promise<void> {
  const deliveries = createDeliveries(count, from)
  const entries = Array.from({ length: count }, (_, index) => toNewEntry(deliveries.body(index)))
  await Promise.all(entries.map((entry) => inbox.add(entry)))
}

function toNewEntry(body: Uint8Array): NewEntry {
  const envelope = parseEnvelope(Buffer.from(body.buffer, body.byteOffset, body.length).toString())
  return { ...envelope, body, route: 'account', source: 'delivery', secret: '1:…cdef', state: 'pending', reason: null }
}

async function waitUntilDrained(file: string): Promise<void> {
  const inbox = openSqliteInbox(file, 'command')
  try {
    const deadline = performance.now() + TIMEOUT_MS
    while (performance.now() < deadline) {
      const { pending, running } = await inbox.counts()
      if (pending + running === 0) return
      await delay(POLL_MS)
    }
  } finally {
    await inbox.close()
  }
  throw new Error(`the backlog was not drained after ${TIMEOUT_MS} ms`)
}

/** By the attempts that the store recorded: measuring takes nothing from what is measured. */
function readRate(file: string, count: number): number {
  const db = new DatabaseSync(file, { readOnly: true })
  const row = db
    .prepare(`
    SELECT count(*) AS handled, max(ended_at) - min(started_at) AS durationMs FROM attempt WHERE outcome = 'handled'`)
    .get()
  db.close()
  if (row?.handled !== count) throw new Error(`expected ${count} attempts, and ${row?.handled} are recorded`)
  return (count * 1_000) / Number(row.durationMs)
}
