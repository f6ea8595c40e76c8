import { Command } from 'commander'
import { runToExit } from '../terminal/exit.ts'
import { urlOption } from '../terminal/options.ts'
import type { CreateOptions, UpdateOptions } from './options.ts'

const help = `
Works on the account and mode of STRIPE_API_KEY.

Examples:
  npm run destination -- list
  npm run destination -- create --url https://example.com/webhook
  npm run destination -- update ed_test_1A2b3C4d5E6f --dry-run
Each has --help with more.`

/** `destination`: lists Stripe's destinations, and creates and updates those of this server. */
export function destinationCommand(): Command {
  const destination = new Command('destination')
    .description('List the destinations that Stripe sends events to, create one, and keep it up to date.')
    .showHelpAfterError('(--help tells more)')
    .addHelpText('after', help)
  addCreate(destination)
  addUpdate(destination)
  addList(destination)
  return destination
}

const createHelp = `
Creates a destination with exactly the types that have handlers, those of
HANDLERS or else the built-in ones, and the SDK's API version; with --connect
also account.application.authorized and .deauthorized, by which the server
learns which accounts are connected. On standard output is the line for .env:
its signing secret, before those that are set; on a terminal <existing> stands
for them. On a live account it asks before it writes.

Examples:
  npm run destination -- create --url https://example.com/webhook
  npm run destination -- create --connect \\
    --url https://example.com/webhook/connect
  npm run --silent destination -- create --yes \\
    --url https://example.com/webhook >> .env`

function addCreate(destination: Command): void {
  destination
    .command('create')
    .description('Create the destination for this server, and print its signing secret once.')
    .requiredOption('--url <url>', 'where Stripe is to send events: https://<your host>/webhook (required)', urlOption)
    .option('--connect', 'events of connected accounts, to …/webhook/connect')
    .option('--thin', 'thin events instead of snapshot events')
    .option('--yes', 'do not ask before writing to a live account')
    .addHelpText('after', createHelp)
    .action(async (options: CreateOptions) => {
      const { runCreate } = await import('./create.ts')
      await runToExit(() => runCreate(options))
    })
}

const updateHelp = `
Adds the types that are handled and not sent to its place, and removes those
that nothing here takes, after a question or with --yes. One that sends every
type is left so. What is changed stands on standard error.

A destination keeps its API version. When that does not fit the handlers,
another is created at the same URL with ?version=… added, and the line for .env
printed as by create, with the new secret and those that are set: both are
valid. The old destination is disabled when you say that the server runs with
both, or by the next run of this command; --yes answers that only in the next
run.

Examples:
  npm run destination -- update ed_test_1A2b3C4d5E6f --dry-run
  npm run destination -- update ed_test_1A2b3C4d5E6f
  npm run --silent destination -- update ed_test_1A2b3C4d5E6f --yes >> .env`

function addUpdate(destination: Command): void {
  destination
    .command('update <id>')
    .description("Bring a destination's types and API version up to the handlers.")
    .option('--dry-run', 'tell what would be changed, and change nothing')
    .option('--yes', 'do not ask before removing types, disabling, or writing to a live account')
    .option(
      '--json',
      'print one JSON object of what was changed; does not ask whether to disable what was just replaced',
    )
    .addHelpText('after', updateHelp)
    .action(async (id: string, options: UpdateOptions) => {
      const { runUpdate } = await import('./update.ts')
      await runToExit(() => runUpdate(id, options))
    })
}

const listHelp = `
Examples:
  npm run destination -- list
  npm run --silent destination -- list --json | jq -r .url`

function addList(destination: Command): void {
  destination
    .command('list')
    .description('List the destinations of the account, of API v1 and v2.')
    .option('--json', 'print one JSON object a line instead of a table')
    .addHelpText('after', listHelp)
    .action(async (options: { readonly json?: true }) => {
      const { runDestinationList } = await import('./list.ts')
      if (!(await runDestinationList(options))) process.exitCode = 1
    })
}
