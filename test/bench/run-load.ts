import type { BenchInbox } from './bench-inbox.ts'
import { runTask } from './child-task.ts'
import type { LoadRequest, LoadResult } from './load-generator.ts'
import type { ServerProcess } from './server-process.ts'

type Load = Omit<LoadRequest, 'port' | 'pid'>

const GENERATOR = new URL('./load-generator.ts', import.meta.url)

type Target = Pick<ServerProcess, 'port' | 'pid'>

/** Sends deliveries from a process of its own. */
export function runLoad({ port, pid }: Target, load: Load): Promise<LoadResult> {
  return runTask<LoadRequest, LoadResult>(GENERATOR, { ...load, port, pid })
}

/** The same at a steady rate, to an inbox that had deliveries before. */
export function runSteadyLoad(
  server: Target,
  inbox: Pick<BenchInbox, 'takeIds'>,
  load: Omit<Load, 'from'> & { readonly perSecond: number },
): Promise<LoadResult> {
  const count = Math.ceil((load.warmUpSeconds + load.seconds) * load.perSecond)
  return runLoad(server, { ...load, from: inbox.takeIds(count) })
}
