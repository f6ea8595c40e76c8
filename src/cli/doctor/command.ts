import { Command, Option } from 'commander'
import { runToExit } from '../terminal/exit.ts'
import { urlOption, wholeNumberOption } from '../terminal/options.ts'
import type { DoctorOptions } from './options.ts'

const help = `
Looks at both lists of destinations that the API key sees, changes nothing, and
ends with 1 when there is a fault. Without --url it looks at every destination
whose URL ends in /webhook or /webhook/connect; with it, at that URL and its
Connect sibling.

Examples:
  npm run doctor
  npm run doctor -- --url https://example.com/webhook
  npm run doctor -- --url https://example.com/webhook --ping
  npm run doctor -- --alert
  npm run doctor -- --targets
  npm run --silent doctor -- --json | jq 'select(.severity == "fault")'`

/** `doctor`: compares this server's configuration and handlers with Stripe's destinations. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description("Compare this server with Stripe's side, and tell how to mend what does not fit.")
    .option('--url <url>', 'the URL that Stripe sends to, such as https://example.com/webhook', urlOption)
    .option('--ping', 'have Stripe ping the destinations, and wait for the pings in the inbox')
    .addOption(new Option('--alert', 'send a trial to ALERT_URL, and do nothing else').conflicts(['url', 'ping']))
    .addOption(
      new Option('--targets', 'connect to each target of TARGETS, and do nothing else').conflicts([
        'url',
        'ping',
        'alert',
      ]),
    )
    .option('--timeout <seconds>', 'how long to wait for pings', wholeNumberOption(1, 3_600), 30)
    .option('--json', 'print one JSON object a line for each finding')
    .addHelpText('after', help)
    .action(async (options: DoctorOptions) => {
      const { runDoctor } = await import('./run.ts')
      await runToExit(() => runDoctor(options))
    })
}
