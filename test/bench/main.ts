import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { wholeNumberOption } from '../../src/cli/terminal/options.ts'
import type { BenchContext } from './bench-context.ts'
import { openBenchPostgres } from './bench-postgres.ts'
import { findCheckouts } from './checkout.ts'
import { describeMachine } from './machine.ts'
import { createPlan, type MeasurementName, measurementNames } from './plan.ts'
import { printReport } from './print-report.ts'
import { runBench } from './run-bench.ts'
import { buildSlowSync } from './slow-sync.ts'

interface Options {
  readonly rounds: number
  readonly seconds: number
  readonly only: readonly MeasurementName[]
  readonly against?: string
  readonly quick?: true
  readonly json?: string
}

const help = `
Measurements:
  ceiling            the load generator against a raw node:http server
  sample             the docs' sample: the unit of the ratios
  receive            this server accepting only (ROLE=receive)
  receive-unsearched the same with SEARCH_FIELDS=none: what it costs that customers can be searched for
  receive-targets    the same with one target that takes all: what it costs that events are forwarded
  receive-slow-sync  receive with 2 ms more for each sync of the disk: Linux with cc
  postgres-receive   receive on Postgres
  postgres-receive-targets the same on Postgres
  whole              this server on the whole route, with a no-op handler
  drain              a backlog, with a no-op handler
  postgres-drain     the same on Postgres
  postgres-drain-2   the same with two processes
  claim              a claim, by the number of entries waiting
  postgres-claim     the same on Postgres
  idle               from answered to handler started
  start              from start to ready
  answers            from request to reply: 200 requests/s beside 5,000 deliveries/s, one function in ten hangs
  forward            a backlog that is forwarded to one target, 64 at once
  postgres-forward   the same on Postgres
  fairness           from a delivery to its coming to a target, alone and beside 31 dead ones
  stall-slow-sync    longest stall of the event loop at 200 deliveries/s, of the docs' sample too: with slow syncs
  stall-locked       the same while another process holds the lock on the file for 10 s
  stall-search       the same with two million entries, searched and scraped (/metrics) without a pause
  search             p99 at 1,000 deliveries/s with two million entries, without and with a search that no index serves
                     all the time and a scrape each second; of the docs' sample beside the search too
  postgres-search    the same on Postgres
  console            p99 at 1,000 deliveries/s with two million entries, without and with somebody who looks at one page of
                     the console after the other, 50 ms after each; p95 of its slowest page meanwhile, and of a search
                     there that no index serves
  postgres-console   the same on Postgres

Postgres is one of its own in the temporary folder, or that of TEST_DATABASE_URL. Searches are those of
\`events list\`, in a process of their own: what they take of the cores counts, and the sample tells how much that is.

Against another commit, whose server takes turns with this one's:
  git worktree add ../before HEAD~1 && npm ci --prefix ../before
  npm run bench -- --against ../before
  git worktree remove --force ../before

Examples:
  npm run bench                                       everything: 25 minutes, 3 GB in the temporary folder
  npm run bench -- --against ../before --json b.json  everything of both: 45 minutes, 5 GB
  npm run bench -- --only sample,receive,postgres-receive
  npm run bench -- --quick --rounds 1 --seconds 1     whether it runs at all

Ends with 0 when everything was measured, short of its target or not, and with 1 when something could not be.`

const program = new Command('bench')
  .description("Measure this server, and the sample of Stripe's docs beside it.")
  .option('--rounds <n>', 'how often each is measured, in turns', wholeNumberOption(1, 100), 5)
  .option('--seconds <s>', 'how long each load is measured', secondsOption, 4)
  .addOption(
    new Option('--only <names>', 'measurements, separated by commas')
      .argParser(namesOption)
      .default(measurementNames, 'all'),
  )
  .option('--against <folder>', 'a checkout of another commit to be measured beside this one')
  .option('--quick', 'small counts: the numbers mean nothing')
  .option('--json <file>', 'write machine, rows and every round there')
  .addHelpText('after', help)
  .showHelpAfterError('(--help tells more)')
  .action(bench)

/** What would outlive the process otherwise. */
const undo = new AsyncDisposableStack()
// A signal alone would end the process without 'exit'.
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143 }))
  process.once(signal, () => void undo.disposeAsync().finally(() => process.exit(code)))

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`could not measure: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`)
  process.exitCode = 1
} finally {
  await undo.disposeAsync()
}

async function bench({ json, against, ...options }: Options): Promise<void> {
  const say = (what: string) => void process.stderr.write(`bench: ${what}\n`)
  const checkouts = findCheckouts(against)
  const scratch = await createThrowAwayFolder()
  const slowSyncLibrary = options.only.some(needsSlowSync) ? await tryToBuildSlowSync(scratch, say) : undefined
  const only = options.only.filter((name) => slowSyncLibrary !== undefined || !needsSlowSync(name))
  const plan = createPlan({ ...options, only, quick: options.quick === true })
  const described = describeMachine(scratch)
  const postgres = await openBenchPostgres(plan)
  if (postgres !== undefined) undo.defer(postgres.remove)
  const machine = { ...described, postgres: postgres?.description }
  const { rows, notes, measured } = await runBench({
    plan,
    checkouts,
    scratch,
    slowSyncLibrary,
    say,
    postgresUrl: postgres?.url,
  })
  printReport(machine, { rows, notes })
  if (json === undefined) return
  const content = { machine, checkouts, plan: { ...plan, only: [...plan.only] }, rows, notes, measured }
  await writeFile(json, `${JSON.stringify(content, null, 2)}\n`)
}

function needsSlowSync(name: MeasurementName): boolean {
  return name.endsWith('slow-sync')
}

async function tryToBuildSlowSync(scratch: string, say: BenchContext['say']): Promise<string | undefined> {
  try {
    return await buildSlowSync(scratch)
  } catch (error) {
    say(`what needs slow syncs is left out: ${error instanceof Error ? error.message : error}`)
    return undefined
  }
}

/** Gone when the process ends, however it ends. */
async function createThrowAwayFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'stripe-webhook-receiver-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function secondsOption(value: string): number {
  const seconds = /^\d{1,3}(\.\d+)?$/.test(value) ? Number(value) : Number.NaN
  if (seconds >= 0.1 && seconds <= 60) return seconds
  throw new InvalidArgumentError('Expected seconds from 0.1 to 60.')
}

function namesOption(value: string): MeasurementName[] {
  return value.split(',').map((given) => {
    const name = measurementNames.find((known) => known === given.trim())
    if (name !== undefined) return name
    throw new InvalidArgumentError(`Expected some of ${measurementNames.join(', ')}, separated by commas.`)
  })
}
