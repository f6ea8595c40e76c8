import { setTimeout as wait } from 'node:timers/promises'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import { eventually } from '../../support/eventually.ts'
import { post } from '../../support/load.ts'
import { makeScratch } from '../../support/scratch.ts'
import type { Fault } from './faults.ts'
import { createLedger, type Figures, type Ledger } from './ledger.ts'
import { type Place, recordIn, type Watch } from './place.ts'
import { createRandom, type Random } from './random.ts'
import { startSenders } from './senders.ts'
import { openSubject, type Store, type Subject } from './subject.ts'
import { createLosses } from './verdict.ts'

export interface RoundsOptions {
  readonly store: Store
  /** Those that cannot strike this store are left out. */
  readonly faults: readonly Fault[]
  readonly rounds: number
  /** The same one strikes in the same order, after the same times; what a strike meets differs. */
  readonly seed: number
  /** The longest that a fault lasts, unless it must be longer to be one. */
  readonly longestMs: number
  /** Ends the rounds, with what there is to report by then. */
  readonly signal?: AbortSignal
  /** Told of each round, counted from 1, what was done, and how many events were answered 200 so far. */
  readonly onRound?: (round: number, told: string, acknowledged: number) => void
}

export interface RoundsReport extends Figures {
  /** Rounds that were begun: the first broken promise ends them. */
  readonly rounds: number
  /** Every promise that was broken, in words. */
  readonly problems: readonly string[]
  /** How it came to the first of them, a line for each thing. */
  readonly story: readonly string[]
}

/** Strikes fall anywhere in this time under load. */
const LONGEST_LOAD_MS = 300
/** What a place takes before and after a fault, to count as well. */
const ENOUGH = 3
/** Ten times what a busy machine takes. */
const WELL_WITHIN_MS = 60_000
const SETTLE_WITHIN_MS = 180_000
/** An attempt that was lost for the third time and more waits on purpose, for up to hours. */
const DELAYED_ATTEMPTS = 3

/** Strikes servers under load again and again, lets them finish, and compares what was promised with what happened. */
export async function runRounds(options: RoundsOptions): Promise<RoundsReport> {
  const { store, seed, rounds, signal } = options
  await using undo = new AsyncDisposableStack()
  const scratch = await makeScratch()
  undo.defer(scratch.remove)
  const losses = createLosses(store)
  // Another chance than the faults', since how often it is asked depends on the servers' speed.
  const ledger = createLedger({ store, losses, random: createRandom(seed + 1), recordFile: recordIn(scratch.path) })
  const watch: Watch = {
    onKilled(pid) {
      losses.onKilled(pid)
      ledger.onEnded(pid)
    },
    onDied(pid, how) {
      ledger.onEnded(pid)
      // A terminal's signal reaches all that runs in it.
      if (!signal?.aborted) ledger.addProblem(`process ${pid} ended by itself: ${how}`)
    },
  }
  const subject = undo.use(await openSubject(store, scratch.path, watch))
  const random = createRandom(seed)
  const context = {
    random,
    lasting: createLasting(random, options.longestMs),
    cutOff: (places: readonly Place[]) => losses.onCutOff(places.flatMap((place) => place.server()?.pid ?? [])),
    inspect: () => subject.look((inbox) => inspectWhenThere(ledger, inbox)),
  }
  const strike = ({ sqlite, postgres }: Fault) =>
    subject.store === 'sqlite' ? sqlite?.({ ...context, subject }) : postgres?.({ ...context, subject })
  const told: string[] = []
  let deck: Fault[] = []
  let round = 0

  await Promise.all(subject.places.map((place) => place.start()))
  while (round < rounds && ledger.problems.length === 0 && !signal?.aborted) {
    round += 1
    if (deck.length === 0) deck = random.shuffle(options.faults.filter((fault) => fault[store]))
    const fault = deck.pop()
    if (fault === undefined) throw new Error(`none of these faults can strike an inbox on ${store}`)
    const from = new Date().toISOString()
    const done = `${fault.name}: ${await underLoad(subject.places, ledger, fault, async () => {
      await wait(random() * LONGEST_LOAD_MS)
      return strike(fault)
    })}`
    losses.onWell()
    told.push(`${from} round ${round} begins`, `${new Date().toISOString()} round ${round}: ${done}`)
    await context.inspect()
    options.onRound?.(round, done, ledger.acknowledged())
  }
  if (ledger.problems.length === 0 && !signal?.aborted) await finish(subject, ledger)
  const { problems } = ledger
  return { ...ledger.figures(), rounds: round, problems, story: tellStory(subject, ledger, told) }
}

function createLasting(random: Random, longestMs: number): (shortestMs?: number) => number {
  return (shortestMs = 100) => Math.round(shortestMs * Math.max(1, longestMs / shortestMs) ** random())
}

/** Does the work while deliveries come, and resolves with what that gives once every place takes them again. */
async function underLoad<T>(
  places: readonly Place[],
  ledger: Ledger,
  { refusal }: Fault,
  work: () => Promise<T>,
): Promise<T> {
  const senders = startSenders({ places, ledger, refusal })
  const expectWell = async (place: Place) => {
    const enough = senders.acknowledgedAt(place) + ENOUGH
    const isWell = () => senders.acknowledgedAt(place) >= enough || place.server() === undefined
    await eventually('deliveries to be taken', isWell, WELL_WITHIN_MS).catch(() =>
      ledger.addProblem(`process ${place.server()?.pid} took no deliveries for ${WELL_WITHIN_MS} ms without a fault`),
    )
  }
  try {
    await Promise.all(places.map(expectWell))
    const done = await work()
    await Promise.all(places.map(expectWell))
    return done
  } finally {
    await senders.stop()
  }
}

/** A store that was just struck may need a moment. */
async function inspectWhenThere(ledger: Ledger, inbox: Inbox): Promise<void> {
  await eventually('the store to answer', () =>
    inbox.counts().then(
      () => true,
      () => false,
    ),
  )
  await ledger.inspect(inbox)
}

/** Delivers what was not answered, as Stripe would, and waits until nothing is left to do. */
async function finish(subject: Subject, ledger: Ledger): Promise<void> {
  const [place] = subject.places
  const url = place?.server()?.url ?? ''
  for (const delivery of ledger.unanswered()) {
    const aheadMs = place?.clockOffsetMs() ?? 0
    const { status } = await eventually(`an answer to ${delivery.eventId}`, async () => {
      const answer = await post(url, delivery, { aheadMs }).catch(() => undefined)
      return answer?.status !== 503 && answer
    })
    ledger.onAnswer(delivery, status)
  }
  await subject.look(async (inbox) => {
    const isSettled = async () => {
      const { pending, running } = await inbox.counts()
      if (pending + running === 0) return true
      const waiting = await inbox.list({ states: ['pending'] }, { limit: LISTED })
      const delayed = waiting.filter(({ attempts }) => attempts >= DELAYED_ATTEMPTS)
      if (delayed.length > 0) await inbox.replay(delayed.map(({ eventId }) => eventId))
      return false
    }
    const isDone = await eventually('everything to settle', isSettled, SETTLE_WITHIN_MS).catch(() => false)
    await ledger.conclude(inbox)
    if (!isDone) ledger.addProblem(`not everything had settled ${SETTLE_WITHIN_MS} ms after the last fault`)
  })
}

const LISTED = 100
const LINES_TOLD = 30
/** Lines of a story begin with it. */
const timeOf = (line: string) => line.slice(0, line.indexOf(' '))

/** How it came to the first problem: what is known of its events, what the servers logged of them, and what was done meanwhile. */
function tellStory(subject: Subject, ledger: Ledger, told: readonly string[]): string[] {
  const [problem] = ledger.problems
  if (problem === undefined) return []
  const names = problem.match(/evt_\w+|(?<=process )\d+/g) ?? []
  const logged = subject.places
    .flatMap((place) => place.text().split('\n'))
    .filter((line) => names.some((name) => line.includes(`"${name}"`) || line.includes(`:${name},`)))
  const known = ledger.tell(problem)
  // What was done before the first of these may be going on then.
  const [first] = known.toSorted()
  const from = first === undefined ? -LINES_TOLD : Math.max(0, told.findLastIndex((line) => line < first) - 1)
  const timed = [...known, ...told.slice(from).slice(0, LINES_TOLD)].toSorted((a, b) =>
    timeOf(a).localeCompare(timeOf(b)),
  )
  return [problem, ...timed, ...logged.slice(-LINES_TOLD)]
}
