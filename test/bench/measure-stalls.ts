import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../support/eventually.ts'
import { type BenchContext, handlersPath, inboxFile, makeFolder } from './bench-context.ts'
import { planBenchInbox } from './bench-inbox.ts'
import { scrapeAllTheTime, searchAllTheTime } from './beside.ts'
import { runTask } from './child-task.ts'
import type { FilledInboxes } from './filled-inboxes.ts'
import type { HoldLock } from './hold-lock.ts'
import { checkoutOf, type Rounds, type Turn, takeTurns, turnsOf } from './rounds.ts'
import { runSteadyLoad } from './run-load.ts'
import { startServer } from './server-process.ts'
import { slowSyncs } from './slow-sync.ts'

export const stallNames = ['stall-slow-sync', 'stall-locked', 'stall-search'] as const
export type StallName = (typeof stallNames)[number]

const LOAD = { perSecond: 200, connections: 8, warmUpSeconds: 0 }
/** The load goes on for this long after the lock is free again. */
const AFTER_LOCK_SECONDS = 1

const PROBE = new URL('./stall-probe.ts', import.meta.url).pathname
const HOLD_LOCK = new URL('./hold-lock.ts', import.meta.url)

/** Longest time in milliseconds for which a server's event loop stood still under a light load; the docs' sample's too. */
export function measureStalls(context: BenchContext, filled: FilledInboxes): Promise<Rounds<number>> {
  const turns = stallNames.flatMap((name): Turn<StallName>[] => [{ name, whose: 'sample' }, ...turnsOf(context, name)])
  return takeTurns(context, turns, (turn) => measureStall(context, turn, filled))
}

async function measureStall(
  context: BenchContext,
  { name, whose }: Turn<StallName>,
  filled: FilledInboxes,
): Promise<number> {
  const { plan } = context
  await using undo = new AsyncDisposableStack()
  // With the sample, the same happens to an inbox that it does not use.
  const checkout = checkoutOf(context, whose)
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
  await runSteadyLoad(server, inbox, { ...LOAD, seconds: plan.warmUpSeconds })
  process.kill(server.pid, 'SIGUSR2')
  if (name === 'stall-locked') {
    const holding = runTask<HoldLock, void>(HOLD_LOCK, { file: inboxFile(inbox.folder), seconds: plan.lockSeconds })
    const seconds = plan.lockSeconds + AFTER_LOCK_SECONDS
    await Promise.all([holding, runSteadyLoad(server, inbox, { ...LOAD, seconds, mayRefuse: true })])
  } else {
    await using beside = new AsyncDisposableStack()
    if (name === 'stall-search') beside.use(searchAllTheTime(checkout, inbox))
    if (name === 'stall-search' && whose !== 'sample') beside.use(scrapeAllTheTime(server))
    await runSteadyLoad(server, inbox, { ...LOAD, seconds: plan.loadSeconds })
  }
  process.kill(server.pid, 'SIGUSR2')
  return await eventually('the stall to be written', () => readStall(stallFile))
}

/** Undefined until all of it is there. */
async function readStall(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.endsWith('\n') ? Number(text) : undefined
}
