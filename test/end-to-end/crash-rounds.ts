import { copyFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { openSqliteInbox } from '../../src/inbox/sqlite/inbox.ts'
import { eventually } from '../support/eventually.ts'
import { post, sendLoad } from '../support/load.ts'
import { readRecord } from '../support/recording-handlers.ts'
import { makeScratch } from '../support/scratch.ts'
import { type SpawnOptions, spawnServer, startServerProcess } from '../support/spawn-server.ts'
import { createLedger, type Ledger, type LedgerSummary } from './crash-ledger.ts'

const CONNECTIONS = 8
/** Kills fall anywhere in this time after the load began, and after a start. */
const LONGEST_LOAD_MS = 300
const LONGEST_START_MS = 400
/** Share of the rounds in which one more process is killed while it starts. */
const KILLED_AT_START_SHARE = 0.25
const SETTLE_WITHIN_MS = 60_000

export interface CrashOptions {
  readonly rounds: number
  /** The same one kills after the same times; what a kill meets differs. */
  readonly seed: number
  /** Where the server runs, empty at first. */
  readonly folder: string
  /** Told of each round, counted from 1, with the events sent and the promises broken so far. */
  readonly onRound?: (round: number, events: number, problems: readonly string[]) => void
}

export interface CrashReport extends LedgerSummary {
  /** Every promise that was broken, in words. */
  readonly problems: readonly string[]
}

/** Kills the server under load again and again, lets the last one finish, and compares what was promised with what happened. */
export async function runCrashRounds({ rounds, seed, folder, onRound }: CrashOptions): Promise<CrashReport> {
  const random = createRandom(seed)
  // One of its own, since how often it is asked depends on the server's speed, and kills shall fall after the same times.
  const ledger = createLedger(createRandom(seed + 1))
  const record = join(folder, 'record.txt')
  const handlers = fileURLToPath(new URL('../support/recording-handlers.ts', import.meta.url))
  const options = { folder, env: { HANDLERS: handlers, RECORD_FILE: record } }
  let recordEnd = 0
  const takeRecord = () => {
    const { steps, end } = readRecord(record, recordEnd)
    recordEnd = end
    ledger.onSteps(steps)
  }
  for (let round = 1; round <= rounds; round += 1) {
    if (random() < KILLED_AT_START_SHARE) await killAtStart(options, random() * LONGEST_START_MS)
    await killUnderLoad(options, ledger, random() * LONGEST_LOAD_MS)
    takeRecord()
    await withCopy(folder, (inbox) => ledger.inspect(inbox))
    onRound?.(round, ledger.eventCount(), ledger.problems)
  }
  await finish(options, ledger)
  takeRecord()
  const summary = await withCopy(folder, (inbox) => ledger.conclude(inbox))
  return { ...summary, problems: ledger.problems }
}

async function killAtStart(options: SpawnOptions, afterMs: number): Promise<void> {
  const { child, exited } = startServerProcess(options)
  await delay(afterMs)
  child.kill('SIGKILL')
  await exited
}

async function killUnderLoad(options: SpawnOptions, ledger: Ledger, afterMs: number): Promise<void> {
  const server = await spawnServer(options)
  const load = sendLoad({ url: server.url, connections: CONNECTIONS, next: ledger.next, onAnswer: ledger.onAnswer })
  await delay(afterMs)
  server.kill('SIGKILL')
  await Promise.all([server.exited, load])
}

/** Delivers what was not answered, as Stripe would, waits until nothing is left to do, and stops the server. */
async function finish(options: SpawnOptions, ledger: Ledger): Promise<void> {
  const server = await spawnServer(options)
  const inbox = await openSqliteInbox(databaseIn(options.folder), 'command')
  const isSettled = async () => {
    const { pending, running } = await inbox.counts()
    return pending + running === 0
  }
  try {
    for (const delivery of ledger.unanswered()) ledger.onAnswer(delivery, (await post(server.url, delivery)).status)
    await eventually('everything to settle', isSettled, SETTLE_WITHIN_MS)
  } finally {
    await inbox.close()
    server.kill('SIGTERM')
    await server.exited
  }
}

const databaseIn = (folder: string) => join(folder, 'data', 'inbox.db')

/** A copy, because closing the file itself would tidy its write-ahead log, which the next server must find as the kill left it. */
async function withCopy<T>(folder: string, look: (inbox: Inbox) => Promise<T>): Promise<T> {
  const copy = join(folder, 'copy')
  await mkdir(copy)
  await copyFile(databaseIn(folder), join(copy, 'inbox.db'))
  await copyFile(`${databaseIn(folder)}-wal`, join(copy, 'inbox.db-wal')).catch(() => undefined)
  const inbox = await openSqliteInbox(join(copy, 'inbox.db'), 'command')
  try {
    return await look(inbox)
  } finally {
    await inbox.close()
    await rm(copy, { recursive: true })
  }
}

/** Mulberry32: numbers from 0 to 1, the same ones for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** `node test/end-to-end/crash-rounds.ts --rounds 200 --seed 7` */
async function main(): Promise<void> {
  const options = { rounds: { type: 'string', default: '20' }, seed: { type: 'string' } } as const
  const { values } = parseArgs({ options })
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32))
  console.log(`seed ${seed}`)
  const scratch = await makeScratch()
  const onRound = (round: number, events: number, broken: readonly string[]) =>
    console.log(`round ${round}: ${events} events sent, ${broken.length} promises broken`)
  const { problems, ...summary } = await runCrashRounds({
    rounds: Number(values.rounds),
    seed,
    folder: scratch.path,
    onRound,
  })
  console.log(summary, problems)
  await scratch.remove()
  process.exitCode = problems.length === 0 ? 0 : 1
}

if (import.meta.main) await main()
