import { Command, InvalidArgumentError, Option } from 'commander'
import { wholeNumberOption } from '../../src/cli/terminal/options.ts'

import { type Fault, faults } from './nemesis/faults.ts'
import { runRounds } from './nemesis/run-rounds.ts'
import type { Store } from './nemesis/subject.ts'

interface Options {
  readonly store: Store | 'both'
  readonly faults: readonly Fault[]
  readonly rounds: number
  readonly seed: number
  readonly longest: number
}

const help = `
Faults:
${faults.map(({ name, summary }) => `  ${name.padEnd(18)}${summary}`).join('\n')}

Each strikes the stores that it can; Postgres is one of its own in the temporary folder, with two servers on it.

Examples:
  node_modules/.bin/node test/end-to-end/crash-rounds.ts                               20 rounds of everything on both stores
  node_modules/.bin/node test/end-to-end/crash-rounds.ts --rounds 200 --seed 7
  node_modules/.bin/node test/end-to-end/crash-rounds.ts --store sqlite --faults kill
  node_modules/.bin/node test/end-to-end/crash-rounds.ts --store postgres --faults cut,partition --longest 2000

Ends with 0 when every promise was kept, and with 1 and the story of the first one that was broken.`

const program = new Command('crash-rounds')
  .description('Strike servers under load, and compare what they promised with what happened.')
  .addOption(new Option('--store <store>', 'which to strike').choices(['sqlite', 'postgres', 'both']).default('both'))
  .addOption(new Option('--faults <names>', 'separated by commas').argParser(faultsOption).default(faults, 'all'))
  .option('--rounds <n>', 'on each store, one fault in each', wholeNumberOption(1, 100_000), 20)
  .addOption(
    new Option('--seed <n>', 'the same strikes in the same order, after the same times')
      .argParser(wholeNumberOption(0, 2 ** 32 - 1))
      .default(Math.floor(Math.random() * 2 ** 32), 'any'),
  )
  .option('--longest <ms>', 'the longest that a fault lasts', wholeNumberOption(100, 600_000), 12_000)
  .addHelpText('after', help)
  .showHelpAfterError('(--help tells more)')
  .action(run)

const stopping = new AbortController()
// A signal alone would leave Postgres and the servers running.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => stopping.abort())

await program.parseAsync()

async function run({ store, faults: chosen, rounds, seed, longest }: Options): Promise<void> {
  console.log(`seed ${seed}`)
  const stores = (['sqlite', 'postgres'] as const).filter((each) => store === each || store === 'both')
  const struck = stores.filter((each) => chosen.some((fault) => fault[each]))
  if (struck.length === 0) program.error(`error: none of these faults can strike an inbox on ${store}`)
  for (const each of struck) {
    const { problems, story, ...figures } = await runRounds({
      ...{ store: each, faults: chosen, rounds, seed, longestMs: longest, signal: stopping.signal },
      onRound: (round, told, acknowledged) =>
        console.log(`${each} round ${round}: ${told}; ${acknowledged} acknowledged so far`),
    })
    console.log(each, { ...figures, broken: problems.length })
    if (stopping.signal.aborted) process.exitCode = 130
    else if (problems.length > 0) {
      console.log(`\nA promise was broken, with seed ${seed}:\n${story.join('\n')}`)
      process.exitCode = 1
    }
    if (process.exitCode !== undefined) return
  }
}

function faultsOption(value: string): Fault[] {
  return value.split(',').map((given) => {
    const fault = faults.find(({ name }) => name === given.trim())
    if (fault !== undefined) return fault
    throw new InvalidArgumentError(
      `Expected some of ${faults.map(({ name }) => name).join(', ')}, separated by commas.`,
    )
  })
}
