import { type BenchContext, inboxFile, makeFolder } from './bench-context.ts'
import { checkoutOf, type Rounds, takeTurns, turnsOf } from './rounds.ts'
import { startServer } from './server-process.ts'

/** Milliseconds from the process's start to the first 200 of /readyz, each time with a new inbox. */
export function measureStarts(context: BenchContext): Promise<Rounds<number>> {
  return takeTurns(context, turnsOf(context, 'start'), async ({ whose }) => {
    await using folder = await makeFolder(context)
    const env = { DATABASE_URL: `file:${inboxFile(folder.path)}` }
    await using server = await startServer(checkoutOf(context, whose), folder.path, env)
    return server.readyMs
  })
}
