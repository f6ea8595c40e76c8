import { Command } from 'commander'
import { isKnownType } from '../../event/known-types.ts'
import { isThinType, twinOf } from '../../event/twin.ts'
import type { EventType } from '../../event.ts'
import { accountOption, fileOption, urlOption, wholeNumberOption } from '../terminal/options.ts'
import type { TriggerOptions } from './options.ts'
import { settingOption } from './settings.ts'
import { findNearTypes, listTypes } from './types.ts'

const help = `
The type is any that Stripe's SDK knows, of a snapshot event such as
payout.failed or of a thin one such as v1.payout.failed. Ends with 1 when a
delivery was not answered 2xx, also where --age or --bad-signature asks for it.

Examples:
  npm run trigger -- payout.failed
  npm run trigger -- --list 'payout.*'          the types that there are
  npm run trigger -- payout.paid --set data.object.amount=99
  npm run trigger -- v1.person.updated --connect acct_1A2b3C4d5E6f
  npm run trigger -- payout.failed --twins      as in a move to the other shape
  npm run trigger -- payout.failed --count 1000
  npm run trigger -- issuing_authorization.request     prints what ANSWERS says
  npm run trigger -- payout.failed --duplicate  the second is not handled again
  npm run trigger -- payout.failed --age 600    400: signed too long ago
  npm run trigger -- --payload event.json       a body of your own, signed`

/** `trigger`: signs events with the configured secret and delivers them to the running server, as Stripe would. */
export function triggerCommand(): Command {
  return new Command('trigger')
    .description('Send signed sample events to the running server, as Stripe would.')
    .argument('[type]', 'event type to build; with --list a pattern, in which * stands for any characters')
    .option('--list', 'print the types instead, one to a line')
    .option('--thin', 'send the thin twin of the type')
    .option('--twins', 'send both events of each change, the snapshot event and its thin twin')
    .option(
      '--set <path=value>',
      'set this in the event, the value as JSON or as text; may be given again',
      settingOption,
    )
    .option('--connect <account>', 'an event of this connected account (acct_…), to /webhook/connect', accountOption)
    .option('--count <n>', 'how many different events', wholeNumberOption(1, 100_000), 1)
    .option('--duplicate', 'send each event twice')
    .option('--age <seconds>', 'sign as that long ago; negative: in the future', wholeNumberOption(-1e9, 1e9), 0)
    .option('--bad-signature', 'sign with a secret that the server does not know')
    .option('--live', 'as live mode events (livemode: true)')
    .option('--payload <file>', "send this file's exact bytes", fileOption)
    .option('--url <url>', 'deliver to this URL (default: http://127.0.0.1:$PORT/webhook)', urlOption)
    .addHelpText('after', help)
    .action(trigger)
}

async function trigger(name: string | undefined, options: TriggerOptions, command: Command): Promise<void> {
  if (options.list) return printTypes(name ?? '*', command)
  const { payload, thin, twins, set, live, count } = options
  if (payload !== undefined && (thin || twins || set || live || count > 1)) {
    command.error('error: a file is sent as it is: --payload goes with none of --thin, --twins, --set, --live, --count')
  }
  if (name === undefined && payload === undefined) {
    command.error('error: expected an event type, or a file with --payload. --list prints the types.')
  }
  if (name !== undefined && payload !== undefined) {
    command.error('error: expected an event type or a file with --payload, not both')
  }
  const type = name === undefined ? undefined : chooseType(name, options, command)
  const { runTrigger } = await import('./run.ts')
  if (!(await runTrigger(type, options))) process.exitCode = 1
}

function printTypes(pattern: string, command: Command): void {
  const types = listTypes(pattern)
  if (types.length === 0) command.error(`error: no event type fits ${pattern}`)
  process.stdout.write(`${types.join('\n')}\n`)
}

/** The type to build, in the spelling of its shape; ends the process when there is none such. */
function chooseType(name: string, { thin, twins }: TriggerOptions, command: Command): EventType {
  if (!isKnownType(name)) {
    const near = findNearTypes(name)
    const hint = near.length === 0 ? '' : ` Did you mean ${near.join(', ')}?`
    const advice = '--list prints those that it knows. Of any other, --payload sends a file of yours.'
    command.error(`error: the SDK knows no event type ${name}.${hint} ${advice}`)
  }
  const twin = twinOf(name)
  if (twins && !isKnownType(twin)) command.error(`error: ${name} has no twin in the other shape`)
  if (twins && thin) command.error('error: --twins sends both shapes: leave --thin out')
  if (!thin || isThinType(name)) return name
  if (!isKnownType(twin)) command.error(`error: ${name} has no thin twin`)
  return twin
}
