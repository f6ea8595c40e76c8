import type { EntryDetail, Inbox } from '../../../src/inbox/inbox.ts'
import { createDelivery, createTwin, type Delivery } from '../../support/load.ts'
import { type RecordedStep, readRecord } from '../../support/recording-handlers.ts'
import type { Random } from './random.ts'
import type { Store } from './subject.ts'
import { judgeChange, judgeOverlap, type KnownEvent, type Losses, type Overlap } from './verdict.ts'

/** What senders, handlers and the store know of each event, and every promise that was broken. */
export interface Ledger {
  /** What Stripe might post next: what was not answered, now and then what was, else something new. */
  next(): Delivery
  /** What was not answered 200. */
  unanswered(): Delivery[]
  /** Stripe was answered; `status` is undefined when no answer came. */
  onAnswer(delivery: Delivery, status: number | undefined): void
  /** Takes in what the handlers recorded; call when a process has ended, with its id: what it had running ended with it. */
  onEnded(pid: number): void
  /** Compares what the store has with what was promised. */
  inspect(inbox: Inbox): Promise<void>
  /** The same after everything was answered and settled. */
  conclude(inbox: Inbox): Promise<void>
  /** For what is broken beside events. */
  addProblem(problem: string): void
  /** Events that were answered 200 so far. */
  acknowledged(): number
  figures(): Figures
  readonly problems: readonly string[]
  /** All that is known of the events that a problem names, a line for each thing, which begins with its time. */
  tell(problem: string): string[]
}

export interface Figures {
  readonly events: number
  readonly acknowledged: number
  /** Handlers that began, and that came to their end. */
  readonly started: number
  readonly ended: number
  /** Attempts that the store gave up. */
  readonly lostAttempts: number
  /** Changes whose handler ended more than once, because an attempt did not count. */
  readonly handledTwice: number
  /** Pairs of events of one change. */
  readonly twins: number
}

export interface LedgerOptions {
  readonly store: Store
  readonly losses: Losses
  readonly random: Random
  readonly recordFile: string
}

/** A few lanes are busy, and many handlers take a while, so that faults hit what waits, what runs and what settles. */
const BUSY_LANES = 8
const BUSY_LANE_SHARE = 0.3
const SLOW_SHARE = 0.5
const SLOWEST_MS = 60
/** Every so many changes one comes in both shapes. */
const TWINS_EVERY = 7
const REPEATED_SHARE = 0.05
const RESENT_SHARE = 0.5
const LOOKED_UP_AT_ONCE = 500

export function createLedger({ store, losses, random, recordFile }: LedgerOptions): Ledger {
  const events = new Map<string, KnownEvent>()
  /** Not seen handled yet. */
  const open = new Set<KnownEvent>()
  /** Of which something is new since they were judged. */
  const unjudged = new Set<KnownEvent>()
  const answered: Delivery[] = []
  const toSend: Delivery[] = []
  const problems = new Set<string>()
  const running = new Map<string, RecordedStep[]>()
  let overlaps: Overlap[] = []
  let recordEnd = 0

  function createNew(): Delivery {
    const objectId = `pi_busy_${Math.floor(random() * BUSY_LANES)}`
    const ask = random() < SLOW_SHARE ? { ms: String(Math.ceil(random() * SLOWEST_MS)) } : {}
    const snapshot = createDelivery({ ask, ...(random() < BUSY_LANE_SHARE ? { objectId } : {}) })
    const deliveries = events.size % TWINS_EVERY === 0 ? [snapshot, createTwin(snapshot)] : [snapshot]
    const twins: KnownEvent[] = []
    for (const delivery of deliveries) {
      const event: KnownEvent = {
        ...{ delivery, twins, sentAt: Date.now(), acknowledgedAt: undefined },
        ...{ steps: [], settled: undefined },
      }
      twins.push(event)
      events.set(delivery.eventId, event)
      open.add(event)
    }
    const [first = snapshot, ...others] = random.shuffle(deliveries)
    toSend.push(...others)
    return first
  }

  function takeStep(step: RecordedStep): void {
    const event = events.get(step.eventId)
    if (event === undefined) return void problems.add(`${step.eventId} was started and never sent`)
    const lane = event.delivery.objectId
    const others = (running.get(lane) ?? []).filter(
      ({ eventId, attempt }) => eventId !== step.eventId || attempt !== step.attempt,
    )
    if (step.step === 'started') {
      if (event.steps.some((known) => known.step === 'started' && known.attempt === step.attempt))
        problems.add(`attempt ${step.attempt} of ${step.eventId} was started twice`)
      for (const other of others) overlaps.push([other, step])
      others.push(step)
    }
    running.set(lane, others)
    event.steps.push(step)
    unjudged.add(event)
  }

  function takeRecord(): void {
    const { steps, end } = readRecord(recordFile, recordEnd)
    recordEnd = end
    for (const step of steps) takeStep(step)
  }

  /** Whether the store gave that attempt up though its process lived; undefined while that is not known. */
  function isGivenUp({ eventId, attempt }: RecordedStep): boolean | undefined {
    const event = events.get(eventId)
    if (store === 'sqlite') return false
    const recorded = event?.settled?.attempts.find(({ number }) => number === attempt)
    return event?.settled && recorded?.outcome === 'lost'
  }

  function judge(): void {
    for (const event of unjudged) {
      if (!event.twins.every(({ settled }) => settled !== undefined)) continue
      for (const problem of judgeChange(event.twins, losses)) problems.add(problem)
      unjudged.delete(event)
    }
    overlaps = overlaps.filter((overlap) => {
      const problem = judgeOverlap(overlap, isGivenUp)
      if (problem !== undefined) problems.add(problem)
      return overlap.some((step) => isGivenUp(step) === undefined)
    })
  }

  async function look(inbox: Inbox, asked: readonly KnownEvent[]): Promise<void> {
    const acknowledged = new Set(asked.filter(({ acknowledgedAt }) => acknowledgedAt !== undefined))
    const found = await inbox.lookUp(asked.map(({ delivery }) => delivery.eventId))
    const states = new Map(found.map(({ eventId, state }) => [eventId, state]))
    for (const event of asked) {
      const { eventId } = event.delivery
      const state = states.get(eventId) ?? 'missing'
      if (state === 'missing') {
        if (acknowledged.has(event)) problems.add(`${eventId} was answered 200 and is not in the store`)
      } else if (state === 'handled') {
        event.settled ??= await inbox.get(eventId)
        if (open.delete(event)) unjudged.add(event)
      } else if (event.settled) problems.add(`${eventId} was handled and is ${state}`)
      else if (state !== 'pending' && state !== 'running') problems.add(`${eventId} is ${state}`)
    }
  }

  async function inspect(inbox: Inbox, which: Iterable<KnownEvent>): Promise<void> {
    const asked = [...which]
    for (let start = 0; start < asked.length; start += LOOKED_UP_AT_ONCE)
      await look(inbox, asked.slice(start, start + LOOKED_UP_AT_ONCE))
    // What has settled by then was recorded before.
    takeRecord()
    judge()
  }

  return {
    get problems() {
      return [...problems]
    },
    acknowledged: () => answered.length,
    addProblem: (problem) => void problems.add(problem),
    unanswered: () =>
      [...events.values()].filter(({ acknowledgedAt }) => acknowledgedAt === undefined).map(({ delivery }) => delivery),
    next() {
      const resent = random() < RESENT_SHARE ? toSend.shift() : undefined
      const repeated = random() < REPEATED_SHARE ? answered[Math.floor(random() * answered.length)] : undefined
      return resent ?? repeated ?? createNew()
    },

    onAnswer(delivery, status) {
      const event = events.get(delivery.eventId)
      if (event === undefined || event.acknowledgedAt !== undefined) return
      if (status !== 200) return void toSend.push(delivery)
      event.acknowledgedAt = Date.now()
      answered.push(delivery)
    },

    onEnded(pid) {
      takeRecord()
      for (const [lane, steps] of running)
        running.set(
          lane,
          steps.filter((step) => step.pid !== pid),
        )
    },

    inspect: (inbox) => inspect(inbox, open),
    async conclude(inbox) {
      await inspect(inbox, events.values())
      for (const { delivery } of open) {
        const detail = await inbox.get(delivery.eventId)
        problems.add(`${delivery.eventId} is not handled: ${detail === undefined ? 'not there' : describe(detail)}`)
      }
      const entries = Object.values(await inbox.counts()).reduce((sum, count) => sum + count, 0)
      if (entries !== events.size) problems.add(`there are ${entries} entries of ${events.size} events`)
    },

    figures() {
      const known = [...events.values()]
      const changes = [...new Set(known.map(({ twins }) => twins))]
      const count = (twins: readonly KnownEvent[], what: RecordedStep['step']) =>
        twins.flatMap(({ steps }) => steps).filter(({ step }) => step === what).length
      return {
        events: events.size,
        acknowledged: answered.length,
        started: count(known, 'started'),
        ended: count(known, 'handled'),
        lostAttempts: known
          .flatMap(({ settled }) => settled?.attempts ?? [])
          .filter(({ outcome }) => outcome === 'lost').length,
        handledTwice: changes.filter((twins) => count(twins, 'handled') > 1).length,
        twins: changes.filter((twins) => twins.length > 1).length,
      }
    },

    tell: (problem) =>
      [...events.values()]
        .filter(({ delivery }) => problem.split(/[ :]/).includes(delivery.eventId))
        .flatMap(tellEvent),
  }
}

function describe({ entry, attempts }: EntryDetail): string {
  const outcomes = attempts.map(({ number, outcome }) => `${number} ${outcome}`).join(', ')
  return `${entry.state}, due ${entry.dueAt.toISOString()}, ${entry.attempts} attempts (${outcomes}), ${entry.reason}`
}

function tellEvent({ delivery, sentAt, acknowledgedAt, steps, settled }: KnownEvent): string[] {
  const { eventId, objectId } = delivery
  const tell = (at: number, what: string) => `${new Date(at).toISOString()} ${eventId}: ${what}`
  return [
    tell(sentAt, `sent, about ${objectId}`),
    ...(acknowledgedAt === undefined ? [] : [tell(acknowledgedAt, 'answered 200')]),
    ...steps.map(({ step, attempt, pid, at }) => tell(at, `attempt ${attempt} ${step} in ${pid}`)),
    ...(settled?.attempts ?? []).flatMap(({ number, startedAt, endedAt, outcome }) => [
      tell(startedAt.getTime(), `attempt ${number} begins in the store`),
      tell(endedAt.getTime(), `attempt ${number} ends in the store: ${outcome}`),
    ]),
  ]
}
