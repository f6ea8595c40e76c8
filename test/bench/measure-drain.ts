import { setTimeout as delay } from 'node:timers/promises'
import { parseEnvelope } from '../../src/event/envelope.ts'
import type { NewEntry } from '../../src/event.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { type BenchContext, handlersPath } from './bench-context.ts'
import { planBenchInbox, type StoreName } from './bench-inbox.ts'
import { type Checkout, withInbox } from './checkout.ts'
import { createDeliveries } from './deliveries.ts'
import { checkoutOf, type Rounds, takeTurns, turnsOf } from './rounds.ts'
import { startServer } from './server-process.ts'

const ADDS_AT_ONCE = 1_000
const POLL_MS = 250
const TIMEOUT_MS = 120_000

export const drainNames = ['drain', 'postgres-drain', 'postgres-drain-2'] as const
export type DrainName = (typeof drainNames)[number]

interface DrainTarget {
  readonly title: string
  readonly store: StoreName
  readonly workers: number
  /** Entries a second; times as many as `beside` where that is given. */
  readonly atLeast: number
  readonly beside?: DrainName
}

export const drains: Readonly<Record<DrainName, DrainTarget>> = {
  drain: { title: 'no-op handler', store: 'sqlite', workers: 1, atLeast: 10_000 },
  'postgres-drain': { title: 'on Postgres, one worker', store: 'postgres', workers: 1, atLeast: 6_000 },
  'postgres-drain-2': {
    title: 'on Postgres, two workers',
    store: 'postgres',
    workers: 2,
    atLeast: 1,
    beside: 'postgres-drain',
  },
}

/** Entries a second, from the first claim to the last settle. */
export function measureDrains(context: BenchContext): Promise<Rounds<number>> {
  const turns = drainNames.flatMap((name) => turnsOf(context, name))
  return takeTurns(context, turns, ({ name, whose }) => drain(context, checkoutOf(context, whose), drains[name]))
}

async function drain(context: BenchContext, checkout: Checkout, { store, workers }: DrainTarget): Promise<number> {
  const count = context.plan.drainEntries
  await using planned = await planBenchInbox(context, store)
  const { url, folder, readHandled } = planned
  await withInbox(checkout, url, 'server', (inbox) => fill(inbox, count))
  await using servers = new AsyncDisposableStack()
  const env = { DATABASE_URL: url, HANDLERS: handlersPath('noop-handlers') }
  await Promise.all(Array.from({ length: workers }, async () => servers.use(await startServer(checkout, folder, env))))
  await withInbox(checkout, url, 'command', waitUntilDrained)
  await servers.disposeAsync()
  const handled = await readHandled()
  if (handled.count !== count) throw new Error(`expected ${count} attempts, and ${handled.count} are recorded`)
  return (count * 1_000) / handled.durationMs
}

/** Through the store, as deliveries would, with more of each entry. */
export async function fill(inbox: Inbox, count: number, more: Partial<NewEntry> = {}): Promise<void> {
  for (let added = 0; added < count; added += ADDS_AT_ONCE)
    await addAll(inbox, Math.min(ADDS_AT_ONCE, count - added), added, more)
}

async function addAll(inbox: Inbox, count: number, from: number, more: Partial<NewEntry>): Promise<void> {
  const deliveries = createDeliveries(count, from)
  const entries = Array.from({ length: count }, (_, index) => toNewEntry(deliveries.body(index)))
  await Promise.all(entries.map((entry) => inbox.add({ ...entry, ...more })))
}

function toNewEntry(body: Uint8Array): NewEntry {
  const envelope = parseEnvelope(Buffer.from(body.buffer, body.byteOffset, body.length).toString())
  return { ...envelope, body, route: 'account', source: 'delivery', secret: '1:…cdef', state: 'pending', reason: null }
}

async function waitUntilDrained(inbox: Inbox): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS
  while (performance.now() < deadline) {
    // Counting is left for the end: it would take from what is measured.
    if ((await inbox.oldestPendingMs()) === null && (await inbox.counts()).running === 0) return
    await delay(POLL_MS)
  }
  throw new Error(`the backlog was not drained after ${TIMEOUT_MS} ms`)
}
