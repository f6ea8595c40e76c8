import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Inbox } from '../../src/inbox/inbox.ts'
import type { BenchContext } from './bench-context.ts'
import { planBenchInbox, type StoreName } from './bench-inbox.ts'
import { type Checkout, withInbox } from './checkout.ts'
import { fill } from './measure-drain.ts'
import { checkoutOf, type Rounds, type Turn, takeTurns, turnsOf } from './rounds.ts'
import { startServer } from './server-process.ts'
import { nameOfTarget, targetEnv } from './target-env.ts'

const POLL_MS = 250
const TIMEOUT_MS = 120_000

export const forwardNames = ['forward', 'postgres-forward'] as const
export type ForwardName = (typeof forwardNames)[number]

const stores: Readonly<Record<ForwardName, StoreName>> = { forward: 'sqlite', 'postgres-forward': 'postgres' }

/** Commits before there were targets can be measured too, in all else. */
export const turnsWithTargets = <Name extends ForwardName | 'fairness'>(context: BenchContext, name: Name) =>
  turnsOf(context, name).filter(({ whose }: Turn<Name>) =>
    existsSync(join(checkoutOf(context, whose).folder, 'src/targets')),
  )

/** Forwards a second, of a backlog to one target in a process of its own, from the first attempt to the last. */
export function measureForwards(context: BenchContext): Promise<Rounds<number>> {
  const turns = forwardNames.flatMap((name) => turnsWithTargets(context, name))
  return takeTurns(context, turns, ({ name, whose }) => forward(context, checkoutOf(context, whose), stores[name]))
}

async function forward(context: BenchContext, checkout: Checkout, store: StoreName): Promise<number> {
  const count = context.plan.forwardEntries
  await using planned = await planBenchInbox(context, store)
  const { url, folder, readForwarded } = planned
  // Handled, so that nothing else is done with them.
  const entry = { state: 'handled', forwards: [{ target: nameOfTarget(0), hops: 1, held: null }] } as const
  await withInbox(checkout, url, 'server', (inbox) => fill(inbox, count, entry))
  await using target = await startServer('raw-server', folder)
  const env = { DATABASE_URL: url, ROLE: 'work', ...targetEnv([`http://127.0.0.1:${target.port}/`]) }
  await using server = await startServer(checkout, folder, env)
  await withInbox(checkout, url, 'command', waitUntilForwarded)
  await server.stop()
  const forwarded = await readForwarded()
  if (forwarded.count !== count) throw new Error(`expected ${count} attempts, and ${forwarded.count} are recorded`)
  return (count * 1_000) / forwarded.durationMs
}

async function waitUntilForwarded(inbox: Inbox): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS
  while (performance.now() < deadline) {
    if ((await inbox.forwards.counts()).length === 0) return
    await delay(POLL_MS)
  }
  throw new Error(`the backlog was not forwarded after ${TIMEOUT_MS} ms`)
}
