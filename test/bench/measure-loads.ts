import { setTimeout as delay } from 'node:timers/promises'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { type BenchContext, handlersPath, makeFolder } from './bench-context.ts'
import { type BenchInbox, planBenchInbox, type StoreName } from './bench-inbox.ts'
import { type Checkout, withInbox } from './checkout.ts'
import type { LoadResult } from './load-generator.ts'
import { readPeakMemoryBytes } from './proc.ts'
import { checkoutOf, ownTurn, type Rounds, type Turn, takeTurns, turnsOf } from './rounds.ts'
import { runLoad } from './run-load.ts'
import { startServer } from './server-process.ts'
import { slowSyncs } from './slow-sync.ts'
import { targetEnv } from './target-env.ts'

export const loadNames = [
  'ceiling',
  'sample',
  'receive',
  'receive-unsearched',
  'receive-targets',
  'receive-slow-sync',
  'postgres-receive',
  'postgres-receive-targets',
  'whole',
] as const
export type LoadName = (typeof loadNames)[number]

/** One load on one server. */
export interface LoadMeasurement extends LoadResult {
  readonly peakMemoryBytes: number | undefined
  /** Undefined for servers that handle nothing. */
  readonly handling: Handling | undefined
}

export interface Handling {
  /** Entries handled in the measured time. */
  readonly perSecond: number
  /** From stored to handled. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Most entries that waited during the first half of the load, and during the second. */
  readonly waitedFirst: number
  readonly waitedThen: number
}

const CONNECTIONS = 64
const BACKLOG_POLL_MS = 100
const SETTLE_TIMEOUT_MS = 60_000

/** Servers that store nothing. */
const others = { ceiling: 'raw-server', sample: 'docs-sample' } as const

interface ReceiverTarget {
  readonly store: StoreName
  readonly env: Readonly<Record<string, string>>
  readonly isWhole?: boolean
  readonly isSlow?: boolean
}

/** Nothing is sent by a server that only accepts. */
const oneTarget = targetEnv(['http://127.0.0.1:1/'])

const receivers: Readonly<Record<Exclude<LoadName, keyof typeof others>, ReceiverTarget>> = {
  receive: { store: 'sqlite', env: { ROLE: 'receive' } },
  'receive-unsearched': { store: 'sqlite', env: { ROLE: 'receive', SEARCH_FIELDS: 'none' } },
  'receive-targets': { store: 'sqlite', env: { ROLE: 'receive', ...oneTarget } },
  'receive-slow-sync': { store: 'sqlite', env: { ROLE: 'receive' }, isSlow: true },
  'postgres-receive': { store: 'postgres', env: { ROLE: 'receive' } },
  'postgres-receive-targets': { store: 'postgres', env: { ROLE: 'receive', ...oneTarget } },
  whole: { store: 'sqlite', env: { ROLE: 'all', HANDLERS: handlersPath('noop-handlers') }, isWhole: true },
}

/** Every load, each on a new process and an empty inbox. */
export function measureLoads(context: BenchContext): Promise<Rounds<LoadMeasurement>> {
  const turns = loadNames.flatMap((name): Turn<LoadName>[] =>
    name === 'ceiling' || name === 'sample' ? [ownTurn(name)] : turnsOf(context, name),
  )
  return takeTurns(context, turns, ({ name, whose }) =>
    name === 'ceiling' || name === 'sample'
      ? loadOther(context, others[name])
      : loadReceiver(context, checkoutOf(context, whose), receivers[name]),
  )
}

async function loadOther(context: BenchContext, program: 'raw-server' | 'docs-sample'): Promise<LoadMeasurement> {
  await using folder = await makeFolder(context)
  await using server = await startServer(program, folder.path)
  const result = await runLoad(server, fullLoad(context))
  return { ...result, peakMemoryBytes: readPeakMemoryBytes(server.pid), handling: undefined }
}

async function loadReceiver(
  context: BenchContext,
  checkout: Checkout,
  { store, env, isWhole = false, isSlow = false }: ReceiverTarget,
): Promise<LoadMeasurement> {
  await using planned = await planBenchInbox(context, store)
  const slow = isSlow ? slowSyncs(context) : undefined
  await using server = await startServer(checkout, planned.folder, { DATABASE_URL: planned.url, ...env, ...slow?.env })
  slow?.check(server)
  return await withInbox(checkout, planned.url, 'command', async (inbox) => {
    const watch = isWhole ? watchBacklog(inbox) : undefined
    const result = await runLoad(server, fullLoad(context))
    const backlog = await watch?.stop()
    const peakMemoryBytes = readPeakMemoryBytes(server.pid)
    await checkNothingIsLost(inbox, result.answered, isWhole)
    return { ...result, peakMemoryBytes, handling: backlog && { ...backlog, ...(await readHandling(planned, result)) } }
  })
}

const fullLoad = ({ plan }: BenchContext) => ({
  connections: CONNECTIONS,
  warmUpSeconds: plan.warmUpSeconds,
  seconds: plan.loadSeconds,
})

async function readHandling({ readHandled }: BenchInbox, result: LoadResult) {
  const { count, p50Ms, p99Ms } = await readHandled(result)
  return { perSecond: (count * 1_000) / (result.untilAt - result.fromAt), p50Ms, p99Ms }
}

/** Looks now and then how many entries wait, from the first one on. */
function watchBacklog(inbox: Inbox) {
  const seen: number[] = []
  let isOver = false
  const watching = (async () => {
    while (!isOver) {
      const { pending, running, handled } = await inbox.counts()
      if (pending + running + handled > 0) seen.push(pending + running)
      await delay(BACKLOG_POLL_MS)
    }
  })()
  return {
    async stop() {
      isOver = true
      await watching
      const half = seen.length >> 1
      return { waitedFirst: Math.max(0, ...seen.slice(0, half)), waitedThen: Math.max(0, ...seen.slice(half)) }
    },
  }
}

/** A rate counts only when every delivery answered 200 is in the inbox, and on the whole route handled in the end. */
async function checkNothingIsLost(inbox: Inbox, answered: number, isWhole: boolean): Promise<void> {
  const deadline = performance.now() + SETTLE_TIMEOUT_MS
  for (;;) {
    const { pending, running, handled, ...aside } = await inbox.counts()
    const isSettled = !isWhole || pending + running === 0
    if (isSettled && (isWhole ? handled : pending) === answered) return
    if (isSettled || performance.now() > deadline)
      throw new Error(
        `${answered} were answered 200, the inbox has ${JSON.stringify({ pending, running, handled, ...aside })}`,
      )
    await delay(BACKLOG_POLL_MS)
  }
}
