import { Command } from 'commander'

const help = `
With --console the receiver goes on after that, until Ctrl-C: with some failures
among its events, with more that come all the time, and with its console open,
at an address and a password that are printed.

Examples:
  npm run demo
  npm run demo -- --json     one JSON object a line for each delivery
  npm run demo -- --console`

/** `demo`: the whole receiver in this process, with every sample event delivered to it. */
export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'Show the whole receiver at work, in this process: needs no configuration and no network, leaves nothing behind.',
    )
    .option('--json', 'print one JSON object for each delivery instead of a table')
    .option('--console', 'open the console on a receiver that goes on')
    .addHelpText('after', help)
    .action(async ({ json = false, console = false }: { json?: boolean; console?: boolean }, command: Command) => {
      if (json && console) command.error('error: expected --json or --console, not both')
      if (console) return (await import('./console.ts')).runDemoConsole()
      const { runDemo } = await import('./run.ts')
      if (!(await runDemo({ json }))) process.exitCode = 1
    })
}
