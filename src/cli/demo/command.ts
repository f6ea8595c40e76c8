import { Command } from 'commander'

const help = `
Examples:
  npm run demo
  npm run demo -- --json     one JSON object a line for each delivery`

/** `demo`: the whole receiver in this process, with every sample event delivered to it. */
export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'Show the whole receiver at work, in this process: needs no configuration and no network, leaves nothing behind.',
    )
    .option('--json', 'print one JSON object for each delivery instead of a table')
    .addHelpText('after', help)
    .action(async ({ json = false }: { json?: boolean }) => {
      const { runDemo } = await import('./run.ts')
      if (!(await runDemo({ json }))) process.exitCode = 1
    })
}
