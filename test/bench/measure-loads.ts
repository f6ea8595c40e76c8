import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { openSqliteInbox } from '../../src/inbox/sqlite-inbox.ts'
import { type BenchContext, handlersPath, inboxFile, withFolder } from './bench-context.ts'
import { runTask } from './child-task.ts'
import type { LoadRequest, LoadResult } from './load-generator.ts'
import { type ServerName, type ServerProcess, startServer } from './server-process.ts'

export type LoadName = 'ceiling' | 'sample' | 'receive' | 'whole'
export const loadNames = ['ceiling', 'sample', 'receive', 'whole'] as const satisfies LoadName[]

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
}

const targets: Readonly<Record<LoadName, LoadTarget>> = {
  ceiling: { server: 'raw-server', env: {} },
  sample: { server: 'docs-sample', env: {} },
  receive: { server: 'receiver', env: { ROLE: 'receive' } },
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
  return withFolder(context, async (folder) => {
    const { server: serverName, env } = targets[name]
    const server = await startServer(serverName, folder, { DATABASE_URL: `file:${inboxFile(folder)}`, ...env })
    try {
      const load = { connections: CONNECTIONS, warmUpSeconds: plan.warmUpSeconds, seconds: plan.loadSeconds }
      return serverName === 'receiver'
        ? await loadReceiver(server, load, { file: inboxFile(folder), isWhole: name === 'whole' })
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
  { file, isWhole }: { readonly file: string; readonly isWhole: boolean },
): Promise<LoadMeasurement> {
  const inbox = openSqliteInbox(file, 'command')
  try {
    const watch = isWhole ? watchBacklog(inbox) : undefined
    const result = await runLoad(server, load)
    const backlog = await watch?.stop()
    const peakMemoryBytes = server.peakMemoryBytes()
    await checkNothingIsLost(inbox, result.answered, isWhole)
    const handling = backlog && { ...backlog, perSecond: readHandledRate(file, result) }
    return { ...result, peakMemoryBytes, handling }
  } finally {
    await inbox.close()
  }
}

/** By the attempts that the store recorded. */
function readHandledRate(file: string, { fromAt, untilAt }: LoadResult): number {
  const db = new DatabaseSync(file, { readOnly: true })
  const row = db
    .prepare(`SELECT count(*) AS handled FROM attempt WHERE outcome = 'handled' AND ended_at BETWEEN ? AND ?`)
    .get(fromAt, untilAt)
  db.close()
  return (Number(row?.handled) * 1_000) / (untilAt - fromAt)
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
