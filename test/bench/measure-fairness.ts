import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createNetServer, type Server } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../support/eventually.ts'
import type { BenchContext } from './bench-context.ts'
import { planBenchInbox } from './bench-inbox.ts'
import { type Checkout, withInbox } from './checkout.ts'
import { openConnection } from './connection.ts'
import { createDeliveries, idOf } from './deliveries.ts'
import { turnsWithTargets } from './measure-forwards.ts'
import { checkoutOf, type Rounds, takeTurns } from './rounds.ts'
import { startServer } from './server-process.ts'
import { quantile } from './statistics.ts'
import { nameOfTarget, targetEnv } from './target-env.ts'

/** From sending a delivery to its coming to the target, 99th percentile in milliseconds. */
export interface FairnessResult {
  readonly aloneMs: number
  /** Beside 31 whose circuits are open, as they are 30 s after a target died. */
  readonly besideDeadMs: number
  /** Beside 31 that die with the first delivery. */
  readonly besideDyingMs: number
}

export const FORWARDS_PER_SECOND = 20
export const DEAD_TARGETS = 31
const WARM_UP = 20
const COME_WITHIN_MS = 60_000

/** What 31 dead targets of 32, half of which refuse connections and half never answer, cost the last one. */
export function measureFairness(context: BenchContext): Promise<Rounds<FairnessResult>> {
  return takeTurns(context, turnsWithTargets(context, 'fairness'), async ({ whose }) => {
    const checkout = checkoutOf(context, whose)
    return {
      aloneMs: await measure(context, checkout, { dead: 0, isKnown: false }),
      besideDeadMs: await measure(context, checkout, { dead: DEAD_TARGETS, isKnown: true }),
      besideDyingMs: await measure(context, checkout, { dead: DEAD_TARGETS, isKnown: false }),
    }
  })
}

async function measure(
  context: BenchContext,
  checkout: Checkout,
  { dead, isKnown }: { dead: number; isKnown: boolean },
): Promise<number> {
  await using planned = await planBenchInbox(context, 'sqlite')
  const { url, folder } = planned
  const names = Array.from({ length: dead }, (_, index) => nameOfTarget(index + 1))
  if (isKnown) await openCircuits(checkout, url, names)
  await using target = await listenForEvents()
  await using silent = await listen(createNetServer(() => undefined))
  const urls = names.map((_, index) => (index % 2 === 0 ? 'http://127.0.0.1:1/' : silent.url))
  const env = { DATABASE_URL: url, LOG_LEVEL: 'silent', ...targetEnv([target.url, ...urls]) }
  await using server = await startServer(checkout, folder, env)
  const count = WARM_UP + context.plan.loadSeconds * FORWARDS_PER_SECOND
  const sent = await deliver(server.port, count)
  const came = await eventually('every event to come', () => target.came.size === count && target.came, COME_WITHIN_MS)
  const waits = [...sent].slice(WARM_UP).map(([id, at]) => (came.get(id) ?? Number.NaN) - at)
  return quantile(waits, 0.99)
}

/** As a server leaves them when a target has failed for a minute. */
async function openCircuits(checkout: Checkout, url: string, names: readonly string[]): Promise<void> {
  await withInbox(checkout, url, 'server', async ({ forwards }) => {
    const since = Date.now() - 60_000
    const open = { since, probeAt: Date.now() + 1_000, probes: 5 }
    const state = { hold: null, failures: 10, failingSince: since, open, pausedUntil: null }
    for (const name of names) await forwards.writeState(name, state, 0)
  })
}

/** When each was sent, by event id. */
async function deliver(port: number, count: number): Promise<ReadonlyMap<string, number>> {
  const deliveries = createDeliveries(count)
  const connection = await openConnection(port)
  const sent = new Map<string, number>()
  try {
    const startedAt = performance.now()
    for (let index = 0; index < count; index += 1) {
      await delay(Math.max(0, startedAt + (index * 1_000) / FORWARDS_PER_SECOND - performance.now()))
      const answered = Promise.withResolvers<number>()
      sent.set(`evt_${idOf(index)}`, performance.now())
      connection.send(deliveries.request(index), answered.resolve)
      const status = await Promise.race([answered.promise, connection.broken])
      if (status !== 200) throw new Error(`expected 200, got ${status}`)
    }
  } finally {
    connection.close()
  }
  return sent
}

/** A target that answers at once. */
async function listenForEvents() {
  const came = new Map<string, number>()
  const server = createServer((request, response) => {
    const id = String(request.headers['stripe-receiver-event'])
    if (!came.has(id)) came.set(id, performance.now())
    request.resume().on('end', () => response.end())
  })
  return { ...(await listen(server)), came }
}

async function listen(server: Server): Promise<AsyncDisposable & { readonly url: string }> {
  const sockets = new Set<{ destroy(): void }>()
  server.on('connection', (socket) => sockets.add(socket))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    // A listening TCP server's address is of this form.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await once(server.close(), 'close')
    },
  }
}
