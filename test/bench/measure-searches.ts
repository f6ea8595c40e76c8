import { type BenchContext, handlersPath, makeFolder } from './bench-context.ts'
import type { BenchInbox, StoreName } from './bench-inbox.ts'
import { lookAllTheTime } from './beside.ts'
import type { FilledInboxes } from './filled-inboxes.ts'
import type { LoadResult } from './load-generator.ts'
import { checkoutOf, type Rounds, type Turn, takeTurns, turnsOf, type Whose } from './rounds.ts'
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

export const SEARCH_LOAD = { perSecond: 1_000, connections: 64 } as const
const SCRAPE_EVERY_MS = 1_000

/** Whether looking slows deliveries down; the docs' sample's too, for which it only takes of the cores. */
export function measureSearches(context: BenchContext, filled: FilledInboxes): Promise<Rounds<SearchMeasurement>> {
  const turns = searchNames.flatMap((name): Turn<SearchName>[] => [
    { name, whose: 'sample' },
    ...turnsOf(context, name),
  ])
  return takeTurns(context, turns, async ({ name, whose }) => {
    const inbox = await filled.get(checkoutOf(context, whose), stores[name])
    const quiet = await load(context, whose, inbox, { isSearched: false })
    return { quiet, searched: await load(context, whose, inbox, { isSearched: true }) }
  })
}

async function load(
  context: BenchContext,
  whose: Whose,
  inbox: BenchInbox,
  { isSearched }: { readonly isSearched: boolean },
): Promise<LoadResult> {
  const checkout = checkoutOf(context, whose)
  const isSample = whose === 'sample'
  await using folder = await makeFolder(context)
  await using server = await startServer(isSample ? 'docs-sample' : checkout, folder.path, {
    DATABASE_URL: inbox.url,
    HANDLERS: handlersPath('noop-handlers'),
  })
  await using _looking = isSearched
    ? lookAllTheTime({ checkout, inbox, server: isSample ? undefined : server, scrapeEveryMs: SCRAPE_EVERY_MS })
    : undefined
  const { warmUpSeconds, loadSeconds: seconds } = context.plan
  return await runSteadyLoad(server, inbox, { ...SEARCH_LOAD, warmUpSeconds, seconds })
}
