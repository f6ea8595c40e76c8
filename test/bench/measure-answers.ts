import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BenchContext, inboxFile, makeFolder } from './bench-context.ts'
import type { LoadResult } from './load-generator.ts'
import { checkoutOf, type Rounds, takeTurns, turnsOf } from './rounds.ts'
import { runLoad } from './run-load.ts'
import { startServer } from './server-process.ts'

export const REQUESTS_PER_SECOND = 200
export const DELIVERIES_PER_SECOND = 5_000
const CONNECTIONS = 64
/** The id of the first request: the deliveries beside have those below. */
const FIRST_REQUEST = 1_000_000_000

const ANSWERS = fileURLToPath(new URL('./bench-answers.ts', import.meta.url))

/** How soon requests are replied to, on a server that stores deliveries beside; from two processes, so that neither waits for the other's. */
export function measureAnswers(context: BenchContext): Promise<Rounds<LoadResult>> {
  const turns = turnsOf(context, 'answers').filter(({ whose }) =>
    // Commits before they had any can be measured too, in all else.
    existsSync(join(checkoutOf(context, whose).folder, 'src/answers')),
  )
  return takeTurns(context, turns, async ({ whose }) => {
    await using folder = await makeFolder(context)
    await using server = await startServer(checkoutOf(context, whose), folder.path, {
      DATABASE_URL: `file:${inboxFile(folder.path)}`,
      ROLE: 'receive',
      ANSWERS,
      // Each hang is an error in the log.
      LOG_LEVEL: 'fatal',
    })
    const { warmUpSeconds, loadSeconds: seconds } = context.plan
    const steady = { connections: CONNECTIONS, warmUpSeconds, seconds }
    const type = 'issuing_authorization.request'
    const [requests] = await Promise.all([
      runLoad(server, { ...steady, perSecond: REQUESTS_PER_SECOND, from: FIRST_REQUEST, type }),
      runLoad(server, { ...steady, perSecond: DELIVERIES_PER_SECOND }),
    ])
    return requests
  })
}
