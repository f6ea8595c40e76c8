import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { Client } from 'pg'
import { eventually } from '../../support/eventually.ts'
import { isDone, type Rule } from '../../support/postgres-proxy.ts'
import { LEASE_MS, type Place } from './place.ts'
import type { Random } from './random.ts'
import type { PostgresSubject, SqliteSubject, Subject } from './subject.ts'

/** Something that goes wrong under load, and is over once its strike resolves. */
export interface Fault {
  readonly name: string
  /** What it does, for the help of the command. */
  readonly summary: string
  /** How it strikes an inbox on SQLite; left out when it cannot. */
  readonly sqlite?: Strike<SqliteSubject>
  readonly postgres?: Strike<PostgresSubject>
  /** What deliveries may be answered because of it, beside 503. */
  readonly refusal?: number
}

/** Resolves with what was done, in words. */
type Strike<S extends Subject> = (context: Context<S>) => Promise<string>

interface Context<S extends Subject> {
  readonly subject: S
  readonly random: Random
  /** A time in milliseconds, seldom a long one: from the shortest, by default 100, up to the longest that a fault may last. */
  lasting(shortestMs?: number): number
  /** From now until all is well again, what runs in these places may not reach the store, and lose what it works on. */
  cutOff(places: readonly Place[]): void
  /** Compares the store, as it is now, with what was promised. */
  inspect(): Promise<void>
}

/** Share of the kills that hit every process at once. */
const ALL_SHARE = 0.25
/** Share in which one more process is killed while it starts, and the time in which that falls. */
const AT_START_SHARE = 0.25
const LONGEST_START_MS = 400

const kill: Strike<Subject> = async ({ subject: { places }, random, inspect }) => {
  const victims = random() < ALL_SHARE ? places : [random.pick(places)]
  const startMs = random() < AT_START_SHARE ? random() * LONGEST_START_MS : undefined
  const pids = await Promise.all(victims.map((place) => place.kill()))
  await inspect()
  if (startMs !== undefined) for (const place of victims) await place.killAtStart(startMs)
  await Promise.all(victims.map((place) => place.start()))
  const again = startMs === undefined ? '' : `, and the next after ${Math.round(startMs)} ms`
  return `killed ${pids.join(' and ')}${again}`
}

/** On Postgres others take over what it had; on SQLite nobody may. */
const stop: Strike<Subject> = async ({ subject: { places }, random, lasting, cutOff }) => {
  const [victim, ms] = [random.pick(places), lasting(LEASE_MS + 100)]
  const server = victim.server()
  cutOff([victim])
  server?.kill('SIGSTOP')
  await wait(ms)
  server?.kill('SIGCONT')
  return `stopped ${server?.pid} for ${ms} ms`
}

const SHORTEST_STEP_MS = 1_000
const LONGEST_STEP_MS = 3 * 86_400_000
/** Share of the steps that set the clock right. */
const RIGHT_SHARE = 0.2

const stepClock: Strike<Subject> = async ({ subject: { places }, random }) => {
  const victim = random.pick(places)
  const size = Math.round(SHORTEST_STEP_MS * (LONGEST_STEP_MS / SHORTEST_STEP_MS) ** random())
  const direction = random.pick([1, -1])
  const offsetMs = victim.clockOffsetMs() !== 0 && random() < RIGHT_SHARE ? 0 : direction * size
  await victim.stepClock(offsetMs)
  return `set the clock of ${victim.server()?.pid} off by ${offsetMs / 1_000} s`
}

const endThread: Strike<SqliteSubject> = async ({ subject: { places }, random, cutOff }) => {
  const [place, how] = [random.pick(places), random.pick(['throw', 'exit'] as const)]
  cutOff(places)
  place.breakWriter(how)
  await eventually('the thread to break', () => !place.isWriterBroken())
  return `ended the writer of ${place.server()?.pid} by ${how}`
}

const LOCKED_WITHIN_MS = 5_000

const hangSqlite: Strike<SqliteSubject> = async ({ subject: { places, databasePath }, random, lasting, cutOff }) => {
  const [place, isLocked, ms] = [random.pick(places), random() < 0.5, lasting()]
  cutOff(places)
  if (isLocked) {
    // As a backup or a shell does.
    using db = new DatabaseSync(databasePath, { timeout: LOCKED_WITHIN_MS })
    db.exec('BEGIN IMMEDIATE')
    await wait(ms)
    db.exec('ROLLBACK')
  } else {
    place.breakWriter('hang')
    await wait(ms)
    place.mendWriter()
  }
  return `${isLocked ? 'locked the file' : 'let the writer hang'} for ${ms} ms`
}

const hangPostgres: Strike<PostgresSubject> = async ({ subject: { places, postgres }, random, lasting, cutOff }) => {
  const [mode, ms] = [random.pick(['EXCLUSIVE', 'ACCESS EXCLUSIVE']), lasting()]
  cutOff(places)
  const client = new Client({ connectionString: postgres.url })
  await client.connect()
  try {
    await client.query(`BEGIN; LOCK TABLE stripe_inbox.entry IN ${mode} MODE`)
    await wait(ms)
    await client.query('ROLLBACK')
  } finally {
    await client.end()
  }
  return `locked the table of entries (${mode}) for ${ms} ms`
}

const restartPostgres: Strike<PostgresSubject> = async ({ subject: { places, postgres }, random, lasting, cutOff }) => {
  const awayMs = random() < 0.5 ? 0 : lasting()
  cutOff(places)
  await postgres.stop()
  await wait(awayMs)
  await postgres.start()
  return `crashed Postgres, away for ${awayMs} ms`
}

/** What goes wrong between a process and Postgres. */
interface Trouble {
  /** What becomes of what passes; `over` resolves once it is over. */
  rule(over: Promise<'pass'>): Rule
  /** Whom every connection is ended for first, and for them alone. */
  readonly endedFor?: 'process' | 'postgres'
}

/** One of these, for a while. */
function trouble(troubles: Readonly<Record<string, Trouble>>): Strike<PostgresSubject> {
  return async ({ subject, random, lasting, cutOff }) => {
    const [victim, [name, { rule, endedFor }], ms] = [
      random.pick(subject.places),
      random.pick(Object.entries(troubles)),
      lasting(),
    ]
    const over = Promise.withResolvers<'pass'>()
    cutOff([victim])
    victim.proxy.setRule(rule(over.promise))
    if (endedFor) victim.proxy.finish(endedFor)
    await wait(ms)
    victim.proxy.setRule(undefined)
    // What is half gone by then is found out: the next packet is answered by a reset.
    if (endedFor) victim.proxy.cut()
    over.resolve('pass')
    return `${name}, between ${victim.server()?.pid} and Postgres, for ${ms} ms`
  }
}

/** Share of what passes that is hit; not by the seed, since how much passes differs. */
const HIT_SHARE = 0.3
const isHit = () => Math.random() < HIT_SHARE

/** Each leaves the process in another doubt about what Postgres did. */
const cuts: Readonly<Record<string, Trouble>> = {
  'cut in the question': { rule: () => (direction) => (direction === 'question' && isHit() ? 'halve' : 'pass') },
  'cut in the answer': { rule: () => (direction) => (direction === 'answer' && isHit() ? 'halve' : 'pass') },
  // Committed, and whoever asked is never told.
  'cut before the answer of a commit': {
    rule: () => (direction, bytes) => (direction === 'answer' && isDone(bytes) && isHit() ? 'cut' : 'pass'),
  },
}

/** What is held arrives once it is over. */
const partitions: Readonly<Record<string, Trouble>> = {
  'nothing passed': { rule: (over) => () => over },
  'no question passed': { rule: (over) => (direction) => (direction === 'question' ? over : 'pass') },
  'no answer passed': { rule: (over) => (direction) => (direction === 'answer' ? over : 'pass') },
  // Postgres takes the process for gone, which waits for answers that nobody gives.
  'half closed towards Postgres': {
    rule: (over) => (direction) => (direction === 'answer' ? over : 'pass'),
    endedFor: 'postgres',
  },
  'half closed towards the process': { rule: () => () => 'pass', endedFor: 'process' },
}

const LONGEST_DELAY_MS = 300
const delays: Readonly<Record<string, Trouble>> = {
  'everything late': { rule: () => () => wait(Math.random() * LONGEST_DELAY_MS, 'pass') },
}

/** All that the nemesis can do. */
export const faults: readonly Fault[] = [
  { name: 'kill', summary: 'SIGKILL, also while it starts', sqlite: kill, postgres: kill },
  {
    ...{ name: 'stop', summary: 'SIGSTOP for longer than a lease, then SIGCONT', sqlite: stop, postgres: stop },
    // A request that was under way for longer than Node allows, by its clock.
    refusal: 408,
  },
  {
    ...{ name: 'slow-disk', sqlite: hangSqlite, postgres: hangPostgres },
    summary: 'the store hangs: locked by another process, or, on SQLite, its writer waits for the disk',
  },
  {
    ...{ name: 'clock', sqlite: stepClock, postgres: stepClock },
    summary: 'the clock of a process is stepped, both ways, by up to three days, and stays so over restarts',
    // Whoever signed by the clock before the step.
    refusal: 400,
  },
  { name: 'thread', summary: 'the thread that writes a SQLite inbox ends', sqlite: endThread },
  {
    ...{ name: 'cut', postgres: trouble(cuts) },
    summary: "connections are reset: mid-question, mid-answer, or with a commit's answer swallowed",
  },
  {
    ...{ name: 'partition', postgres: trouble(partitions) },
    summary: 'nothing passes between a process and Postgres, or only one way, or connections are half closed',
  },
  { name: 'delay', summary: 'all that passes between a process and Postgres is late', postgres: trouble(delays) },
  { name: 'postgres-restart', summary: 'Postgres crashes and is started again', postgres: restartPostgres },
]
