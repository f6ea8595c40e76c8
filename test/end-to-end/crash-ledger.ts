import type { EntryDetail, Inbox } from '../../src/inbox/inbox.ts'
import { createDelivery, type Delivery } from '../support/load.ts'
import type { RecordedStep } from '../support/recording-handlers.ts'
import { createStepCheck } from './crash-steps.ts'

/** What a sender and the handlers know of each event, and every promise that was broken. */
export interface Ledger {
  /** What Stripe might post next: what was not answered, now and then what was, else something new. */
  next(): Delivery
  unanswered(): Delivery[]
  onAnswer(delivery: Delivery, status: number): void
  onSteps(steps: readonly RecordedStep[]): void
  /** Looks into the inbox that a dead process left, after its steps were taken in. */
  inspect(inbox: Inbox): Promise<void>
  /** Looks into the inbox after everything was answered and settled. */
  conclude(inbox: Inbox): Promise<LedgerSummary>
  eventCount(): number
  readonly problems: readonly string[]
}

export interface LedgerSummary {
  readonly events: number
  /** Events that were seen handled between two processes: they may not start again. */
  readonly settledBeforeKill: number
  /** Attempts that ended with their process. */
  readonly lostAttempts: number
}

/** A few lanes are busy, and some handlers take a while, so that kills hit what waits, what runs and what settles. */
const BUSY_LANES = 8
const BUSY_LANE_SHARE = 0.3
const SLOW_SHARE = 0.2
const SLOWEST_MS = 40
const REPEATED_SHARE = 0.05

export function createLedger(random: () => number): Ledger {
  const sent = new Map<string, Delivery>()
  const answered: Delivery[] = []
  const answeredIds = new Set<string>()
  const startsWhenSettled = new Map<string, number>()
  const problems: string[] = []
  const steps = createStepCheck((eventId) => sent.get(eventId)?.objectId, problems)
  const unanswered = () => [...sent.values()].filter(({ eventId }) => !answeredIds.has(eventId))
  let toRepeat: Delivery[] = []

  function createNew(): Delivery {
    const objectId = `pi_busy_${Math.floor(random() * BUSY_LANES)}`
    const ask = random() < SLOW_SHARE ? { ms: String(Math.ceil(random() * SLOWEST_MS)) } : {}
    const delivery = createDelivery({ ask, ...(random() < BUSY_LANE_SHARE ? { objectId } : {}) })
    sent.set(delivery.eventId, delivery)
    return delivery
  }

  async function find(inbox: Inbox, eventId: string): Promise<EntryDetail | undefined> {
    const detail = await inbox.get(eventId)
    if (detail === undefined && answeredIds.has(eventId))
      problems.push(`${eventId} was answered 200 and is not in the inbox`)
    return detail
  }

  return {
    problems,
    unanswered,
    eventCount: () => sent.size,
    next() {
      const again = random() < REPEATED_SHARE ? answered[Math.floor(random() * answered.length)] : undefined
      return toRepeat.pop() ?? again ?? createNew()
    },

    onAnswer(delivery, status) {
      if (status !== 200) return void problems.push(`${delivery.eventId} was answered ${status}`)
      if (!answeredIds.has(delivery.eventId)) answered.push(delivery)
      answeredIds.add(delivery.eventId)
    },

    onSteps: steps.take,

    async inspect(inbox) {
      for (const eventId of sent.keys()) {
        if (startsWhenSettled.has(eventId)) continue
        const detail = await find(inbox, eventId)
        if (detail?.entry.state === 'handled') startsWhenSettled.set(eventId, steps.startsOf(eventId))
      }
      toRepeat = unanswered()
    },

    async conclude(inbox) {
      let lostAttempts = 0
      for (const eventId of sent.keys()) {
        const detail = await find(inbox, eventId)
        if (detail === undefined) continue
        problems.push(...describeUnlessHandled(detail))
        lostAttempts += detail.attempts.length - 1
        const [starts, allowed] = [steps.startsOf(eventId), startsWhenSettled.get(eventId)]
        if (starts === 0) problems.push(`${eventId} is handled and was never started`)
        if (allowed !== undefined && starts > allowed) problems.push(`${eventId} had settled and was started again`)
      }
      const entries = Object.values(await inbox.counts()).reduce((sum, count) => sum + count, 0)
      if (entries !== sent.size) problems.push(`there are ${entries} entries of ${sent.size} events`)
      return { events: sent.size, settledBeforeKill: startsWhenSettled.size, lostAttempts }
    },
  }
}

/** Every attempt is on record: the last one handled the event, and each before it was lost with its process. */
function describeUnlessHandled({ entry, attempts }: EntryDetail): string[] {
  const told = attempts.map(({ number, outcome }) => `${number} ${outcome}`).join(', ')
  const expected = attempts.map((_, index) => `${index + 1} ${index + 1 < attempts.length ? 'lost' : 'handled'}`)
  if (entry.state === 'handled' && attempts.length === entry.attempts && told === expected.join(', ')) return []
  return [`${entry.eventId} is ${entry.state} after ${entry.attempts} attempts: ${told}`]
}
