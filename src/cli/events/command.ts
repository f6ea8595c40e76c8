import { Command, Option } from 'commander'
import { wholeNumberOption } from '../terminal/options.ts'
import { addFilterOptions, type FilterOptions, matchesAll, toFilter } from './filter.ts'
import type { ListOptions, ShowOptions } from './options.ts'

const help = `
Works on the database that DATABASE_URL names, whether or not a server is running on it.

Examples:
  npm run events -- counts
  npm run events -- list --state dead --since 2h
  npm run events -- show evt_1A2b3C4d5E6f
  npm run events -- replay evt_1A2b3C4d5E6f
Each of the four has --help with more.`

/** `events`: looks at the entries in the inbox, and replays them. */
export function eventsCommand(): Command {
  const events = new Command('events')
    .description('Look at the stored events, and replay them.')
    .showHelpAfterError('(--help tells more)')
    .addHelpText('after', help)
  addList(events)
  addShow(events)
  addReplay(events)
  addCounts(events)
  return events
}

const JSON_LINES = 'print one JSON object a line instead of a table'

const listHelp = `
Examples:
  npm run events -- list
  npm run events -- list --state pending,dead --type 'payment_intent.*' --limit 200
  npm run --silent events -- list --account acct_1A2b3C4d5E6f --json | jq -r .eventId`

function addList(events: Command): void {
  addFilterOptions(events.command('list').description('List entries, newest first.'))
    .option('--limit <n>', 'how many at most', wholeNumberOption(1, 100_000), 50)
    .option('--json', JSON_LINES)
    .addHelpText('after', listHelp)
    .action(async (options: ListOptions) => {
      const { runList } = await import('./list.ts')
      if (!(await runList(options))) process.exitCode = 1
    })
}

const showHelp = `
Examples:
  npm run events -- show evt_1A2b3C4d5E6f
  npm run --silent events -- show evt_1A2b3C4d5E6f --payload | jq .data.object`

function addShow(events: Command): void {
  events
    .command('show <event-id>')
    .description('Show all that is known of one entry, with its attempts.')
    .addOption(new Option('--payload', 'print the exact bytes that Stripe sent, and nothing else').conflicts('json'))
    .option('--json', 'print one JSON object instead of lines')
    .addHelpText('after', showHelp)
    .action(async (eventId: string, options: ShowOptions) => {
      const { runShow } = await import('./show.ts')
      if (!(await runShow(eventId, options))) process.exitCode = 1
    })
}

const replayHelp = `
Takes ids or a filter, never everything. Settled entries start over from attempt 1, waiting ones lose their delay; a running
server starts them within a second. Left alone are entries that are running, and those whose body retention dropped.

Examples:
  npm run events -- replay evt_1A2b3C4d5E6f evt_6F5e4D3c2B1a
  npm run events -- replay --state dead --type 'payout.*' --dry-run
  npm run events -- replay --state unhandled,parked --since 3d`

function addReplay(events: Command): void {
  addFilterOptions(events.command('replay [event-ids...]').description('Make entries due again, to be handled anew.'))
    .option('--dry-run', 'tell what would be replayed, and change nothing')
    .addHelpText('after', replayHelp)
    .action(replay)
}

async function replay(
  eventIds: readonly string[],
  options: FilterOptions & { readonly dryRun?: true },
  command: Command,
): Promise<void> {
  const filter = toFilter(options)
  const isByIds = eventIds.length > 0
  if (isByIds && !matchesAll(filter)) command.error('error: expected event ids or a filter, not both')
  if (!isByIds && matchesAll(filter)) {
    command.error('error: expected event ids, or a filter: --state, --type, --account or --since')
  }
  const { runReplay } = await import('./replay.ts')
  const isDryRun = options.dryRun ?? false
  if (!(await runReplay(isByIds ? { eventIds } : { filter }, { isDryRun }))) process.exitCode = 1
}

const countsHelp = `
Examples:
  npm run events -- counts
  npm run --silent events -- counts --json | jq .dead`

function addCounts(events: Command): void {
  events
    .command('counts')
    .description('Count the entries in each state, and tell for how long what waits has been due.')
    .option('--json', 'print one JSON object instead of a table')
    .addHelpText('after', countsHelp)
    .action(async (options: { readonly json?: true }) => {
      const { runCounts } = await import('./counts.ts')
      await runCounts(options)
    })
}
