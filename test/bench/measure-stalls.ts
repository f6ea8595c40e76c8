import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../support/eventually.ts'
import { type BenchContext, handlersPath, inboxFile, makeFolder } from './bench-context.ts'
import { type BenchInbox, planBenchInbox } from './bench-inbox.ts'
import { lookAllTheTime } from './beside.ts'
import { runTask } from './child-task.ts'
import type { FilledInboxes } from './filled-inboxes.ts'
import type { HoldLock } from './hold-lock.ts'
import type { LoadResult } from './load-generator.ts'
import { checkoutOf, type Rounds, type Turn, takeTurns, turnsOf } from './rounds.ts'
import { runSteadyLoad } from './run-load.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import { slowSyncs } from './slow-sync.ts'

export const stallNames = ['stall-slow-sync', 'stall-locked', 'stall-search'] as const
export type StallName = (typeof stallNames)[number]

const LOAD = { perSecond: 200, connections: 8, warmUpSeconds: 0 }
/** The load goes on for this long after the lock is free again. */
const AFTER_LOCK_SECONDS = 1

const PROBE = new URL('./stall-probe.ts', import.meta.url).pathname
const HOLD_LOCK = new URL('./hold-lock.ts', import.meta.url)

export interface StallMeasurement {
  /** Longest time for which the event loop stood still. */
  readonly stallMs: number
  readonly load: LoadResult
}

/** How long a server's event loop stands still under a light load; the docs' sample's too, which stores nothing. */
export function measureStalls(context: BenchContext, filled: FilledInboxes): Promise<Rounds<StallMeasurement>> {
  const turns = stallNames.flatMap((name): Turn<StallName>[] => [{ name, whose: 'sample' }, ...turnsOf(context, name)])
  return takeTurns(context, turns, (turn) => measureStall(context, turn, filled))
}

async function measureStall(
  context: BenchContext,
  turn: Turn<StallName>,
  filled: FilledInboxes,
): Promise<StallMeasurement> {
  const { name, whose } = turn
  // With the sample, the same happens to an inbox that it does not use.
  const checkout = checkoutOf(context, whose)
  await using undo = new AsyncDisposableStack()
  const inbox =
    name === 'stall-search' ? await filled.get(checkout, 'sqlite') : undo.use(await planBenchInbox(context, 'sqlite'))
  const { path: folder } = undo.use(await makeFolder(context))
  const stallFile = join(folder, 'stall')
  const slow = name === 'stall-slow-sync' ? slowSyncs(context) : undefined
  const server = undo.use(
    await startServer(whose === 'sample' ? 'docs-sample' : checkout, folder, {
      DATABASE_URL: inbox.url,
      HANDLERS: handlersPath('noop-handlers'),
      // Each delivery that is refused is a warning.
      LOG_LEVEL: 'fatal',
      NODE_OPTIONS: `--import=${PROBE}`,
      STALL_FILE: stallFile,
      ...slow?.env,
    }),
  )
  slow?.check(server)
  await runSteadyLoad(server, inbox, { ...LOAD, seconds: context.plan.warmUpSeconds })
  process.kill(server.pid, 'SIGUSR2')
  const load = await loadWhile(context, turn, { server, inbox })
  process.kill(server.pid, 'SIGUSR2')
  return { stallMs: await eventually('the stall to be written', () => readStall(stallFile)), load }
}

/** A load beside which that happens which the measurement is about; slow syncs do all the time. */
async function loadWhile(
  context: BenchContext,
  { name, whose }: Turn<StallName>,
  { server, inbox }: { readonly server: ServerProcess; readonly inbox: BenchInbox },
): Promise<LoadResult> {
  const { lockSeconds, loadSeconds } = context.plan
  if (name === 'stall-locked') {
    const locked = { ...LOAD, seconds: lockSeconds + AFTER_LOCK_SECONDS, mayRefuse: true }
    const holding = runTask<HoldLock, void>(HOLD_LOCK, { file: inboxFile(inbox.folder), seconds: lockSeconds })
    const [load] = await Promise.all([runSteadyLoad(server, inbox, locked), holding])
    return load
  }
  await using _looking =
    name === 'stall-search'
      ? lookAllTheTime({ checkout: checkoutOf(context, whose), inbox, server: whose === 'sample' ? undefined : server })
      : undefined
  return await runSteadyLoad(server, inbox, { ...LOAD, seconds: loadSeconds })
}

/** Undefined until all of it is there. */
async function readStall(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.endsWith('\n') ? Number(text) : undefined
}
