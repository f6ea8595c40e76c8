import { Command, Option } from 'commander'
import type { Selection } from '../../operations/change-entries.ts'
import { type Choice, isEverything, toFields, toFilter } from '../../operations/filter.ts'
import { urlOption, wholeNumberOption } from '../terminal/options.ts'
import { addFilterOptions, filterOptionNames } from './filter.ts'
import type { ActionsOptions, ChangeOptions, ListOptions, SendOptions, ShowOptions } from './options.ts'

const help = `
Works on the database that DATABASE_URL names, whether or not a server is
running on it.

Examples:
  npm run events -- counts
  npm run events -- list --state dead --since 2h
  npm run events -- find cus_1A2b3C4d5E6f
  npm run events -- show evt_1A2b3C4d5E6f
  npm run events -- replay evt_1A2b3C4d5E6f
  npm run events -- drop --state dead --type 'payout.*'
  npm run events -- park evt_1A2b3C4d5E6f
  npm run events -- actions
  npm run events -- backup inbox-2026-11-21.db
  npm run events -- send evt_1A2b3C4d5E6f --to http://127.0.0.1:3000 --secret …
Each has --help with more.`

/** `events`: looks at the entries in the inbox, replays, drops and parks them, and copies all of them. */
export function eventsCommand(): Command {
  const events = new Command('events')
    .description('Look at the stored events; replay, drop, park and back them up.')
    .showHelpAfterError('(--help tells more)')
    .addHelpText('after', help)
  addList(events)
  addFind(events)
  addShow(events)
  addReplay(events)
  addDrop(events)
  addPark(events)
  addHold(events)
  addActions(events)
  addCounts(events)
  addBackup(events)
  addSend(events)
  return events
}

const JSON_LINES = 'print one JSON object a line instead of a table'

const listHelp = `
Examples:
  npm run events -- list
  npm run events -- list --state pending,dead --type 'payout.*' --limit 200
  npm run events -- list --object pi_1A2b3C4d5E6f
  npm run events -- list --reason 'timed out' --since 2026-11-20 --until 3h
  npm run --silent events -- list --state dead --json | jq -r .eventId`

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
  npm run events -- find cus_1A2b3C4d5E6f
  npm run events -- show evt_1A2b3C4d5E6f
  npm run --silent events -- show evt_1A2b3C4d5E6f --payload | jq .data.object`

const findHelp = `
Looks for whatever stands in a log, a ticket or the Dashboard: an event's id,
else an object's, else a value at one of SEARCH_FIELDS.

Examples:
  npm run events -- find cus_1A2b3C4d5E6f
  npm run --silent events -- find pi_1A2b3C4d5E6f --json | jq -r .eventId`

function addFind(events: Command): void {
  events
    .command('find <value>')
    .description('List the entries with this event id, about this object, or with this value; newest first.')
    .option('--limit <n>', 'how many at most', wholeNumberOption(1, 100_000), 50)
    .option('--json', JSON_LINES)
    .addHelpText('after', findHelp)
    .action(async (value: string, options: ListOptions) => {
      const { runFind } = await import('./find.ts')
      if (!(await runFind(value, options))) process.exitCode = 1
    })
}

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

const YES = 'do not ask before changing more than 100 entries'

const replayHelp = `
Takes ids or a filter, never everything. Settled entries start over from attempt
1, waiting ones lose their delay; a running server starts them within a second.
A filter without --state means dead, unhandled, parked and pending entries:
handled ones run twice, so they have to be named. Left alone are entries that
are running, and those whose body retention dropped. On a terminal it asks
before it replays more than 100.

Examples:
  npm run events -- replay evt_1A2b3C4d5E6f evt_6F5e4D3c2B1a
  npm run events -- replay --state dead --type 'payout.*' --dry-run
  npm run events -- replay --state unhandled,parked --since 3d
  npm run events -- replay --state handled --account acct_1A2b3C4d5E6f --yes`

function addReplay(events: Command): void {
  addFilterOptions(events.command('replay [event-ids...]').description('Make entries due again, to be handled anew.'))
    .option('--dry-run', 'tell what would be replayed, and change nothing')
    .option('--yes', YES)
    .addHelpText('after', replayHelp)
    .action(async (eventIds: readonly string[], options: Choice & ChangeOptions, command: Command) => {
      const selection = toSelection(eventIds, options, command)
      const [{ runChange }, { replay }] = await Promise.all([
        import('./change.ts'),
        import('../../operations/changes.ts'),
      ])
      if (!(await runChange(replay, selection, options))) process.exitCode = 1
    })
}

const dropHelp = `
For what is not going to be handled: dead, parked and unhandled entries are
settled as handled, with "dropped by <user>@<host>" as their reason. Retention
then takes them as it takes others that settled now, and until it does they can
be replayed. Takes ids or a filter, never everything. A filter without --state
means all three states. On a terminal it asks before it drops more than 100.

Examples:
  npm run events -- drop evt_1A2b3C4d5E6f evt_6F5e4D3c2B1a
  npm run events -- drop --state dead --type 'payout.*' --dry-run
  npm run events -- drop --state parked --since 3d --yes`

function addDrop(events: Command): void {
  addFilterOptions(events.command('drop [event-ids...]').description('Settle what nobody is going to deal with.'))
    .option('--dry-run', 'tell what would be dropped, and change nothing')
    .option('--yes', YES)
    .addHelpText('after', dropHelp)
    .action(async (eventIds: readonly string[], options: Choice & ChangeOptions, command: Command) => {
      const selection = toSelection(eventIds, options, command)
      const { runDrop } = await import('./drop.ts')
      if (!(await runDrop(selection, options))) process.exitCode = 1
    })
}

function toSelection(eventIds: readonly string[], options: Choice, command: Command): Selection {
  const isByIds = eventIds.length > 0
  if (isByIds && !isEverything(options)) command.error('error: expected event ids or a filter, not both')
  if (!isByIds && isEverything(options)) {
    command.error(`error: expected event ids, or a filter: ${filterOptionNames}`)
  }
  return isByIds ? { eventIds } : { filter: toFilter(options), fields: toFields(options).toString() }
}

const parkHelp = `
For an event that brings every process down: entries that wait or run are set
aside, with "parked by <user>@<host>" as their reason, and their lanes go on.
What still runs has lost its lease: how it ends is not recorded. A replay makes
a parked entry due again, a drop settles it.

Examples:
  npm run events -- park evt_1A2b3C4d5E6f`

function addPark(events: Command): void {
  events
    .command('park <event-ids...>')
    .description('Set entries aside that wait or run.')
    .addHelpText('after', parkHelp)
    .action(async (eventIds: readonly string[]) => {
      const { runPark } = await import('./park.ts')
      if (!(await runPark(eventIds))) process.exitCode = 1
    })
}

const holdHelp = `
For a bad day: from now on no handler starts, in any process on the inbox, over
restarts too, until \`events resume\`. Deliveries go on being stored and
answered 200; handlers that run already go on. Held again, it has the new
reason.

Examples:
  npm run events -- hold --reason 'payouts are booked twice'`

const resumeHelp = `
What waited is handled, by every process on the inbox that runs handlers. Ends
with 1 when nothing is held.

Examples:
  npm run events -- resume`

function addHold(events: Command): void {
  events
    .command('hold')
    .description('Start no more handlers until a resume; deliveries are stored.')
    .option('--reason <text>', 'why, for whoever looks next')
    .addHelpText('after', holdHelp)
    .action(async ({ reason }: { readonly reason?: string }) => {
      const { runHold } = await import('./hold.ts')
      await runHold(reason)
    })
  events
    .command('resume')
    .description('End a hold: what waited is handled.')
    .addHelpText('after', resumeHelp)
    .action(async () => {
      const { runResume } = await import('./hold.ts')
      if (!(await runResume())) process.exitCode = 1
    })
}

const actionsHelp = `
What operators did, by these commands and on the console: who, when, with which
filter, and to how many entries. A change that a server runs shows how far it
has come; the console cancels it.

Examples:
  npm run events -- actions
  npm run --silent events -- actions --json | jq 'select(.state == "running")'`

function addActions(events: Command): void {
  events
    .command('actions')
    .description('List who did what, newest first.')
    .option('--limit <n>', 'how many at most', wholeNumberOption(1, 100_000), 50)
    .option('--json', JSON_LINES)
    .addHelpText('after', actionsHelp)
    .action(async (options: ActionsOptions) => {
      const { runActions } = await import('./actions.ts')
      await runActions(options)
    })
}

const countsHelp = `
Examples:
  npm run events -- counts
  npm run --silent events -- counts --json | jq .dead`

function addCounts(events: Command): void {
  events
    .command('counts')
    .description(
      'Count the entries in each state; tell for how long what waits has been due, and whether handling is held.',
    )
    .option('--json', 'print one JSON object instead of a table')
    .addHelpText('after', countsHelp)
    .action(async (options: { readonly json?: true }) => {
      const { runCounts } = await import('./counts.ts')
      await runCounts(options)
    })
}

const backupHelp = `
Copies the inbox as it is at one moment, beside a running server, and checks the
copy: one file, its owner's alone, that a server starts on. A Postgres is backed
up by its own means.

Examples:
  npm run events -- backup inbox-2026-11-21.db`

function addBackup(events: Command): void {
  events
    .command('backup <file>')
    .description('Copy the inbox to a new file.')
    .addHelpText('after', backupHelp)
    .action(async (file: string) => {
      const { runBackup } = await import('./backup.ts')
      await runBackup(file)
    })
}

const sendHelp = `
The receiver there verifies it as an event of Stripe's, or of Standard Webhooks
with --sign standard. The inbox keeps no record of it. Ends with 1 when the
answer is not 2xx, or none came within 30 seconds.

Examples:
  npm run events -- send evt_1A2b3C4d5E6f \\
    --to http://127.0.0.1:3000/stripe --secret whsec_1a2b3c4d`

function addSend(events: Command): void {
  events
    .command('send <event-id>')
    .description('Send one stored event to a URL, now, signed with a secret of its own, and print what it answered.')
    .requiredOption('--to <url>', 'such as http://127.0.0.1:3000/stripe (required)', urlOption)
    .requiredOption('--secret <secret>', 'that the receiver there verifies with, whsec_… (required)')
    .addOption(new Option('--sign <scheme>', 'how it is signed').choices(['stripe', 'standard']).default('stripe'))
    .addHelpText('after', sendHelp)
    .action(async (eventId: string, options: SendOptions) => {
      const { runSend } = await import('./send.ts')
      if (!(await runSend(eventId, options))) process.exitCode = 1
    })
}
