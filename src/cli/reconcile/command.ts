import { Command } from 'commander'
import { contextOption, durationOption } from '../terminal/options.ts'
import type { ReconcileCommandOptions } from './options.ts'

const help = `
A server with STRIPE_API_KEY does this by itself, at its start and every
RECONCILE_MINUTES, up to an hour while nothing is missing. By hand it serves to
look (--dry-run), and to go further back than the last run. Works on the
database that DATABASE_URL names, whether or not a server is running on it; a
running one handles what was added within a second. Needs STRIPE_API_KEY, and
goes by STRIPE_MODE and HANDLERS as the server does. Ends with 1 when an account
could not be looked at.

Looked for are types that have a handler and that a destination of this server
sends, by their lists at Stripe; where these cannot be read, every handled
snapshot type, and thin ones without a handled snapshot twin. Of snapshot events
Stripe tells which it could not deliver to at least one endpoint; thin events it
lists all, and those that the inbox lacks are added. Without --since it goes on
from the last run. The first one looks for snapshot events of 30 days, as far as
Stripe lists them, and for thin ones of an hour.

Events of a time in which a destination was disabled, was deleted or was not
asked for their type are no undelivered ones. --all compares all of the last 30
days with the inbox, or as many as --since says: of every handled type in the
payload styles that destinations of this server have, and of the accounts that
Stripe lists as connected too.

An organization's key (sk_org_…) has no account of its own, so it is asked for
the accounts that the inbox knows alone, each through the context that its
events name.

Examples:
  npm run reconcile -- --dry-run
  npm run reconcile -- --all --dry-run
  npm run reconcile -- --since 3d
  npm run reconcile -- --since 30d --account acct_1A2b3C4d5E6f
  npm run --silent reconcile -- --dry-run --json | jq .missing`

const LONGEST_SINCE_MS = 30 * 86_400_000

/** `reconcile`: adds the events that did not get here to the inbox. */
export function reconcileCommand(): Command {
  return new Command('reconcile')
    .description('Fetch the events that did not get here, and add what is missing.')
    .option(
      '--since <duration>',
      'look at events this old or younger, such as 90m, 2h or 3d; 30d at most',
      durationOption,
    )
    .option(
      '--account <account>',
      'of this connected account only (acct_…, or a context such as acct_…/acct_…)',
      contextOption,
    )
    .option('--all', 'every event of these types, and of every connected account: after a lost inbox or a long outage')
    .option('--dry-run', 'tell what is missing, and add nothing')
    .option('--json', 'print one JSON object instead of a table')
    .addHelpText('after', help)
    .action(reconcile)
}

async function reconcile(options: ReconcileCommandOptions, command: Command): Promise<void> {
  if ((options.since ?? 0) > LONGEST_SINCE_MS) {
    command.error('error: expected at most --since 30d: Stripe lists no older events')
  }
  const { runReconcile } = await import('./run.ts')
  if (!(await runReconcile(options))) process.exitCode = 1
}
