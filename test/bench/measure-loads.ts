import { setTimeout as delay } from 'node:timers/promises'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { openInbox } from '../../src/inbox/open-inbox.ts'
import { type BenchContext, handlersPath } from './bench-context.ts'
import { type BenchInbox, type StoreName, withInbox } from './bench-inbox.ts'
import { runTask } from './child-task.ts'
import type { LoadRequest, LoadResult } from './load-generator.ts'
import { type ServerName, type ServerProcess, startServer } from './server-process.ts'

export const loadNames = ['ceiling', 'sample', 'receive', 'postgres-receive', 'whole'] as const
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
  /** Most entries that waited during the first half of the load, and during the second. */
  readonly waitedFirst: number
  readonly waitedThen: number
}

const CONNECTIONS = 64
const BACKLOG_POLL_MS = 100
const SETTLE_TIMEOUT_MS = 60_000

const GENERATOR = new URL('./load-generator.ts', import.meta.url)

interface LoadTarget {
  readonly server: ServerName
  readonly env: Readonly<Record<string, string>>
  /** `sqlite` unless told. */
  readonly store?: StoreName
}

const targets: Readonly<Record<LoadName, LoadTarget>> = {
  ceiling: { server: 'raw-server', env: {} },
  sample: { server: 'docs-sample', env: {} },
  receive: { server: 'receiver', env: { ROLE: 'receive' } },
  'postgres-receive': { server: 'receiver', env: { ROLE: 'receive' }, store: 'postgres' },
  whole: { server: 'receiver', env: { ROLE: 'all', HANDLERS: handlersPath('noop-handlers') } },
}

/** Every load in turns, round by round, each on a new process and an empty inbox. */
export async function measureLoads(context: BenchContext): Promise<ReadonlyMap<LoadName, readonly LoadMeasurement[]>> {
  const { plan, say } = context
  const results = new Map<LoadName, LoadMeasurement[]>()
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const name of loadNames) {
      if (!plan.only.has(name)) continue
      say(`round ${round} of ${plan.rounds}: ${name}, ${plan.warmUpSeconds} s of warm-up and ${plan.loadSeconds} s`)
      const measured = await measureLoad(context, name)
      results.set(name, [...(results.get(name) ?? []), measured])
    }
  }
  return results
}

function measureLoad(context: BenchContext, name: LoadName): Promise<LoadMeasurement> {
  const { plan } = context
  const { server: serverName, env, store = 'sqlite' } = targets[name]
  return withInbox(context, store, async (inbox) => {
    const server = await startServer(serverName, inbox.folder, { DATABASE_URL: inbox.url, ...env })
    try {
      const load = { connections: CONNECTIONS, warmUpSeconds: plan.warmUpSeconds, seconds: plan.loadSeconds }
      return serverName === 'receiver'
        ? await loadReceiver(server, load, { ...inbox, isWhole: name === 'whole' })
        : { ...(await runLoad(server, load)), peakMemoryBytes: server.peakMemoryBytes(), handling: undefined }
    } finally {
      await server.kill()
    }
  })
}

type Load = Omit<LoadRequest, 'port'>

const runLoad = ({ port }: ServerProcess, load: Load) => runTask<LoadRequest, LoadResult>(GENERATOR, { ...load, port })

async function loadReceiver(
  server: ServerProcess,
  load: Load,
  { url, readHandled, isWhole }: BenchInbox & { readonly isWhole: boolean },
): Promise<LoadMeasurement> {
  const inbox = await openInbox(url, 'command')
  try {
    const watch = isWhole ? watchBacklog(inbox) : undefined
    const result = await runLoad(server, load)
    const backlog = await watch?.stop()
    const peakMemoryBytes = server.peakMemoryBytes()
    await checkNothingIsLost(inbox, result.answered, isWhole)
    const handled = await readHandled(result)
    const perSecond = (handled.count * 1_000) / (result.untilAt - result.fromAt)
    return { ...result, peakMemoryBytes, handling: backlog && { ...backlog, perSecond } }
  } finally {
    await inbox.close()
  }
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
