import { Command, InvalidArgumentError } from 'commander'
import type { ForwardState } from '../../inbox/forwards.ts'
import { runToExit } from '../terminal/exit.ts'
import { durationOption } from '../terminal/options.ts'
import type { BackfillOptions, ChangeOptions } from './options.ts'

const help = `
Works on the module that TARGETS names and the database that DATABASE_URL names,
whether or not a server is running on it.

Examples:
  npm run targets -- list
  npm run targets -- show shop
  npm run targets -- test shop
  npm run targets -- hold shop --reason 'moving house'
  npm run targets -- resume shop
  npm run targets -- replay shop --state dead --since 3d --dry-run
  npm run targets -- drop shop --state dead
  npm run targets -- backfill shop --since 30d
Each has --help with more.`

/** `targets`: looks at the targets, tries, holds and resumes them, and sends them what they missed. */
export function targetsCommand(): Command {
  const targets = new Command('targets')
    .description(
      'Look at the targets that events are forwarded to; test, hold, resume, replay, drop and backfill them.',
    )
    .showHelpAfterError('(--help tells more)')
    .addHelpText('after', help)
  addList(targets)
  addTest(targets)
  addHold(targets)
  addReplay(targets)
  return targets
}

const listHelp = `
Examples:
  npm run targets -- list
  npm run --silent targets -- list --json | jq -r .name`

const showHelp = `
A target that TARGETS names no more is shown too, while something is stored for
it.

Examples:
  npm run targets -- show shop
  npm run --silent targets -- show shop --json | jq .causes`

function addList(targets: Command): void {
  targets
    .command('list')
    .description('How each target does, and what waits for it.')
    .option('--json', 'print one JSON object a line instead of a table')
    .addHelpText('after', listHelp)
    .action((options: { readonly json?: true }) =>
      runToExit(async () => {
        const { runList } = await import('./list.ts')
        await runList(options)
        return true
      }),
    )
  targets
    .command('show <name>')
    .description('All that is known of a target: its state, its failures by cause, and the last answers.')
    .option('--json', 'print one JSON object')
    .addHelpText('after', showHelp)
    .action((name: string, options: { readonly json?: true }) =>
      runToExit(async () => {
        const { runShow } = await import('./show.ts')
        return runShow(name, options)
      }),
    )
}

const testHelp = `
Examples:
  npm run targets -- test shop
  npm run targets -- test shop --type payout.failed`

function addTest(targets: Command): void {
  targets
    .command('test <name>')
    .description('Send a signed sample event to the target, now, and print what it answered; nothing is stored.')
    .option('--type <type>', 'of the event', 'payment_intent.succeeded')
    .addHelpText('after', testHelp)
    .action((name: string, { type }: { readonly type: string }) =>
      runToExit(async () => {
        const { runTest } = await import('./test.ts')
        return runTest(name, type)
      }),
    )
}

const holdHelp = `
Examples:
  npm run targets -- hold shop
  npm run targets -- hold shop --reason 'moving house'`

const resumeHelp = `
Examples:
  npm run targets -- resume shop`

function addHold(targets: Command): void {
  targets
    .command('hold <name>')
    .description('Send nothing to the target until a resume; what is for it waits.')
    .option('--reason <text>', 'why, for whoever looks next', 'held by hand')
    .addHelpText('after', holdHelp)
    .action((name: string, { reason }: { readonly reason: string }) =>
      runToExit(async () => {
        const { runHold } = await import('./hold.ts')
        return runHold(name, reason)
      }),
    )
  targets
    .command('resume <name>')
    .description('End a hold, a pause or an open circuit, and send what waits for a retry.')
    .addHelpText('after', resumeHelp)
    .action((name: string) =>
      runToExit(async () => {
        const { runResume } = await import('./hold.ts')
        return runResume(name)
      }),
    )
}

const YES = 'do not ask before changing more than 100 forwards'

const replayHelp = `
They start over from attempt 1. What is running is left alone. On a terminal it
asks before it sends more than 100.

Examples:
  npm run targets -- replay shop --dry-run
  npm run targets -- replay shop --state dead --since 3d`

const dropHelp = `
Takes a target that TARGETS names no more, too. On a terminal it asks before it
drops more than 100.

Examples:
  npm run targets -- drop shop --state dead
  npm run targets -- drop old-shop --state pending,dead,held --yes`

const backfillHelp = `
What the target has already, in whatever state, is left alone. On a terminal it
asks before it sends more than 100.

Examples:
  npm run targets -- backfill shop --since 30d --dry-run
  npm run targets -- backfill shop --since 30d`

function addReplay(targets: Command): void {
  targets
    .command('replay <name>')
    .description('Send what was given up or held to the target anew, newest first.')
    .option('--state <states>', 'which: pending, delivered, dead, held, dropped; dead,held unless told', replayedOption)
    .option('--since <duration>', 'of events that came within this time, such as 3d', durationOption)
    .option('--dry-run', 'count them, and change nothing')
    .option('--yes', YES)
    .addHelpText('after', replayHelp)
    .action((name: string, options: ChangeOptions) =>
      runToExit(async () => {
        const { runReplay } = await import('./change.ts')
        return runReplay(name, options)
      }),
    )
  targets
    .command('drop <name>')
    .description('Give up what the target never got: it is not sent any more, and keeps neither event nor body.')
    .option('--state <states>', 'which: pending, dead, held; dead,held unless told', droppedOption)
    .option('--since <duration>', 'of events that came within this time, such as 3d', durationOption)
    .option('--dry-run', 'count them, and change nothing')
    .option('--yes', YES)
    .addHelpText('after', dropHelp)
    .action((name: string, options: ChangeOptions) =>
      runToExit(async () => {
        const { runDrop } = await import('./change.ts')
        return runDrop(name, options)
      }),
    )
  targets
    .command('backfill <name>')
    .description('Send stored events that the target takes and never got, as one that was added later, newest first.')
    .requiredOption(
      '--since <duration>',
      'of events that came within this time, such as 30d (required)',
      durationOption,
    )
    .option('--dry-run', 'count them, and change nothing')
    .option('--yes', YES)
    .addHelpText('after', backfillHelp)
    .action((name: string, options: BackfillOptions) =>
      runToExit(async () => {
        const { runBackfill } = await import('./change.ts')
        return runBackfill(name, options)
      }),
    )
}

const replayedOption = (text: string) => readStates(text, ['pending', 'delivered', 'dead', 'held', 'dropped'])
const droppedOption = (text: string) => readStates(text, ['pending', 'dead', 'held'])

function readStates(text: string, possible: readonly ForwardState[]): readonly ForwardState[] {
  const states = possible.filter((state) => text.split(',').includes(state))
  if (states.length === text.split(',').length) return states
  throw new InvalidArgumentError(`Expected some of ${possible.join(', ')}, separated by commas.`)
}
