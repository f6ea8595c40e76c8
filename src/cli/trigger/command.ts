import { Argument, Command, InvalidArgumentError } from 'commander'
import { findSample, sampleTypes } from '../../samples/objects.ts'
import { accountOption, fileOption, urlOption, wholeNumberOption } from '../terminal/options.ts'
import type { TriggerOptions } from './options.ts'

const help = `
Types:
${sampleTypes.map((type) => `  ${type}`).join('\n')}
  and their thin twins, such as v1.payout.failed

Examples:
  npm run trigger -- payout.failed
  npm run trigger -- v1.person.updated --connect acct_1A2b3C4d5E6f
  npm run trigger -- payment_intent.succeeded --count 1000
  npm run trigger -- payout.failed --duplicate       the second is answered 200 and not handled again
  npm run trigger -- payout.failed --age 600         400: signed too long ago
  npm run trigger -- --payload event.json            a body of your own, signed with your secret`

/** `trigger`: signs events with the configured secret and delivers them to the running server, as Stripe would. */
export function triggerCommand(): Command {
  return new Command('trigger')
    .description('Send signed sample events to the running server, as Stripe would.')
    .addArgument(new Argument('[type]', 'event type to build').argParser(typeArgument))
    .option('--thin', 'send the thin twin of the type')
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

async function trigger(type: string | undefined, options: TriggerOptions, command: Command): Promise<void> {
  if (type === undefined && options.payload === undefined) {
    command.error(`error: expected an event type, or a file with --payload. ${listTypes()}`)
  }
  if (options.payload !== undefined && (options.thin || options.live || options.count > 1)) {
    command.error('error: a file is sent as it is: --payload goes with neither --thin, --live nor --count')
  }
  const { runTrigger } = await import('./run.ts')
  if (!(await runTrigger(type, options))) process.exitCode = 1
}

function typeArgument(type: string): string {
  if (findSample(type) !== undefined) return type
  throw new InvalidArgumentError(`No sample of this type. ${listTypes()}`)
}

function listTypes(): string {
  return `There are ${sampleTypes.join(', ')}, and their thin twins such as v1.payout.failed. Other events go with --payload.`
}
