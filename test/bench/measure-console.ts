import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type BenchContext, handlersPath, makeFolder } from './bench-context.ts'
import type { BenchInbox, StoreName } from './bench-inbox.ts'
import type { Checkout } from './checkout.ts'
import { CONSOLE_PASSWORD, findPages, type Look, lookAtEach, type Pages, UNINDEXED } from './console-pages.ts'
import type { FilledInboxes } from './filled-inboxes.ts'
import type { LoadResult } from './load-generator.ts'
import { SEARCH_LOAD } from './measure-searches.ts'
import { repeat } from './repeat.ts'
import { checkoutOf, type Rounds, takeTurns, turnsOf } from './rounds.ts'
import { runSteadyLoad } from './run-load.ts'
import { startServer } from './server-process.ts'

const stores = { console: 'sqlite', 'postgres-console': 'postgres' } as const satisfies Record<string, StoreName>
export type ConsoleName = keyof typeof stores
export const consoleNames = ['console', 'postgres-console'] as const satisfies readonly ConsoleName[]

/** A steady load on an inbox with very many entries. */
export interface ConsoleMeasurement {
  readonly quiet: LoadResult
  /** While somebody looks at one page after the other. */
  readonly looked: LookedLoad
  /** While somebody searches there, again and again, for what no index serves. */
  readonly searched: LookedLoad
}

interface LookedLoad {
  readonly load: LoadResult
  readonly looks: readonly Look[]
}

/** How long the console's pages take on a server that takes deliveries, and whether they slow deliveries down. */
export function measureConsole(context: BenchContext, filled: FilledInboxes): Promise<Rounds<ConsoleMeasurement>> {
  const turns = consoleNames
    .flatMap((name) => turnsOf(context, name))
    .filter(({ whose }) => hasConsole(checkoutOf(context, whose)))
  return takeTurns(context, turns, async ({ name, whose }) => {
    const checkout = checkoutOf(context, whose)
    const inbox = await filled.get(checkout, stores[name])
    const measure = (pages: Pages) => loadBeside(context, checkout, inbox, pages)
    return {
      quiet: (await measure(new Map())).load,
      looked: await measure(await findPages(checkout, inbox)),
      searched: await measure(UNINDEXED),
    }
  })
}

/** Commits before it had one can be measured too, in all else. */
const hasConsole = ({ folder }: Checkout) => existsSync(join(folder, 'src/console'))

async function loadBeside(
  context: BenchContext,
  checkout: Checkout,
  inbox: BenchInbox,
  pages: Pages,
): Promise<LookedLoad> {
  await using folder = await makeFolder(context)
  await using server = await startServer(checkout, folder.path, {
    DATABASE_URL: inbox.url,
    HANDLERS: handlersPath('noop-handlers'),
    CONSOLE_PASSWORD,
  })
  // As with deliveries: V8 compiles what makes the pages, and the store reads what all of them need.
  await lookAtEach(server, pages, 0)
  const looks: Look[] = []
  await using looking = new AsyncDisposableStack()
  // However short the load is, each page is looked at.
  if (pages.size > 0)
    looking.use(repeat(async () => void looks.push(...(await lookAtEach(server, pages, looks.length)))))
  const { warmUpSeconds, loadSeconds: seconds } = context.plan
  const load = await runSteadyLoad(server, inbox, { ...SEARCH_LOAD, warmUpSeconds, seconds })
  await looking.disposeAsync()
  return { load, looks }
}
