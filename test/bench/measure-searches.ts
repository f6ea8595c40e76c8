import { type BenchContext, handlersPath, makeFolder } from './bench-context.ts'
import type { BenchInbox, StoreName } from './bench-inbox.ts'
import { scrapeAllTheTime, searchAllTheTime } from './beside.ts'
import type { Checkout } from './checkout.ts'
import type { FilledInboxes } from './filled-inboxes.ts'
import type { LoadResult } from './load-generator.ts'
import { checkoutOf, type Rounds, takeTurns, turnsOf } from './rounds.ts'
import { runSteadyLoad } from './run-load.ts'
import { startServer } from './server-process.ts'

const stores = { search: 'sqlite', 'postgres-search': 'postgres' } as const satisfies Record<string, StoreName>
export type SearchName = keyof typeof stores
export const searchNames = ['search', 'postgres-search'] as const satisfies readonly SearchName[]

/** A steady load on an inbox with very many entries. */
export interface SearchMeasurement {
  readonly quiet: LoadResult
  /** While someone searches all the time, and counts each second. */
  readonly searched: LoadResult
}

export const SEARCH_LOAD_PER_SECOND = 1_000
const CONNECTIONS = 64
const SCRAPE_EVERY_MS = 1_000

/** Whether looking slows deliveries down. */
export function measureSearches(context: BenchContext, filled: FilledInboxes): Promise<Rounds<SearchMeasurement>> {
  const turns = searchNames.flatMap((name) => turnsOf(context, name))
  return takeTurns(context, turns, async ({ name, whose }) => {
    const checkout = checkoutOf(context, whose)
    const inbox = await filled.get(checkout, stores[name])
    const quiet = await load(context, checkout, inbox, { isSearched: false })
    return { quiet, searched: await load(context, checkout, inbox, { isSearched: true }) }
  })
}

async function load(
  context: BenchContext,
  checkout: Checkout,
  inbox: BenchInbox,
  { isSearched }: { readonly isSearched: boolean },
): Promise<LoadResult> {
  const { warmUpSeconds, loadSeconds: seconds } = context.plan
  await using undo = new AsyncDisposableStack()
  const { path: folder } = undo.use(await makeFolder(context))
  const env = { DATABASE_URL: inbox.url, HANDLERS: handlersPath('noop-handlers') }
  const server = undo.use(await startServer(checkout, folder, env))
  if (isSearched) {
    undo.use(searchAllTheTime(checkout, inbox))
    undo.use(scrapeAllTheTime(server, SCRAPE_EVERY_MS))
  }
  return await runSteadyLoad(server, inbox, {
    perSecond: SEARCH_LOAD_PER_SECOND,
    connections: CONNECTIONS,
    warmUpSeconds,
    seconds,
  })
}
