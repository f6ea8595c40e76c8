import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import Stripe from 'stripe'
import type { Decision, NewEntry } from '../event.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'
import { createDecide, type Request } from './decide.ts'
import { createKeepLater } from './keep-later.ts'
import type { Answerers } from './load.ts'
import { warnOfLoopDelay } from './loop-delay.ts'

/** How a reply came about; `stored` is what was replied to the same request before. */
export type How = Decision['how'] | 'stored'

export interface AnsweringOptions {
  /** At least one. */
  readonly answerers: Answerers
  readonly inbox: Pick<Inbox, 'add' | 'get' | 'decide'>
  readonly log: Log
  /** Told of each reply before it goes out; `isKept` when the request was stored by then. */
  readonly onReplied: (type: string, how: How, durationMs: number, isKept: boolean) => void
}

/** A reply with 200 to one of Stripe's requests. */
export interface Reply {
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: string
}

export interface Answering {
  /** The reply to a request, given its entry and when its head came (`performance.now()`); by `withinMs`. Never rejects. */
  reply(entry: NewEntry, startedAt: number): Promise<Reply>
  /** Resolves once no reply is under way. */
  whenReplied(): Promise<void>
  /** Resolves once those have gone out that are under way now: within the longest `withinMs`, whatever comes meanwhile. */
  whenLastReplied(): Promise<void>
  /** Stores what was not stored yet, for so long at most. Safe to repeat. */
  stop(withinMs: number): Promise<void>
}

/** One run of the function, which all who send the same request meanwhile share. */
interface Run {
  readonly replied: Promise<Replied>
}

interface Replied {
  readonly decision: Decision
  readonly isStored: boolean
  readonly isKept: boolean
}

/** From when on a reply past its `withinMs` is told of: Stripe may have decided by itself. */
const LATE_MS = 100

/**
 * Money before bookkeeping: the function and the store begin together, and the reply goes out when both are done, or at `withinMs`
 * with what there is then. A store that is late or down does not hold it back; what was replied is stored later.
 */
export function startAnswering({ answerers, inbox, log, onReplied }: AnsweringOptions): Answering {
  const decide = createDecide(log)
  const later = createKeepLater(log)
  const stopWarning = warnOfLoopDelay(Math.min(...answerers.values().map(({ withinMs }) => withinMs)), log)
  /** By event id, until they are stored. */
  const runs = new Map<string, Run>()
  const underWay = new Set<Promise<unknown>>()

  function begin(request: Request): Run {
    const { entry } = request
    const facts = { eventId: entry.eventId, type: entry.type }
    const isNeedless = new AbortController()
    const decided = decide(request, isNeedless.signal)
    const progress = { isAdded: false }
    const kept = keep()

    async function keep(): Promise<Pick<Replied, 'decision' | 'isStored'>> {
      const added = await inbox.add(entry)
      progress.isAdded = true
      const stored = added === 'duplicate' ? (await inbox.get(entry.eventId))?.decision : undefined
      if (stored) {
        isNeedless.abort()
        return { decision: stored, isStored: true }
      }
      const own = await decided
      const standing = await inbox.decide(entry.eventId, own)
      if (standing === null) log.error(facts, 'a reply is not recorded: its event is there as one that a handler takes')
      // Of two processes that were asked at once, the first decides.
      return { decision: standing ?? own, isStored: standing !== null && !isSame(standing, own) }
    }

    const end = () => void runs.delete(entry.eventId)
    async function compare({ decision: standing }: Pick<Replied, 'decision'>): Promise<void> {
      const { decision: sent } = await replied
      if (!isSame(standing, sent)) log.error(facts, 'another reply to the same request was stored before')
      end()
    }

    const reply = async (): Promise<Replied> => {
      const unkept = async (): Promise<Replied> => ({
        decision: await decided,
        isStored: false,
        isKept: progress.isAdded,
      })
      const timer = new AbortController()
      const leftMs = Math.max(0, request.startedAt + request.answerer.withinMs - performance.now())
      const timeUp = delay(leftMs, undefined, { signal: timer.signal }).then(unkept, unkept)
      const inTime = kept.then((replied) => ({ ...replied, isKept: true }), unkept)
      return Promise.race([inTime, timeUp]).finally(() => timer.abort())
    }
    const replied = reply()
    kept.then(compare, (err: unknown) => {
      log.error({ err, ...facts }, 'a request cannot be stored; it is answered all the same')
      const keepReplied = async () => compare(await keep())
      later.add({ eventId: entry.eventId, bytes: entry.body.length, keep: keepReplied, onEnded: end })
    })
    return { replied }
  }

  async function reply(entry: NewEntry, startedAt: number): Promise<Reply> {
    const answerer = answerers.get(entry.type)
    if (answerer === undefined) throw new TypeError(`No answerer for ${entry.type}.`)
    const before = runs.get(entry.eventId)
    const run = before ?? begin({ entry, answerer, startedAt })
    runs.set(entry.eventId, run)
    const { decision, isStored, isKept } = await run.replied
    const how: How = isStored || before !== undefined ? 'stored' : decision.how
    const durationMs = Math.round(performance.now() - startedAt)
    onReplied(entry.type, how, durationMs, isKept)
    const facts = { eventId: entry.eventId, type: entry.type, how, durationMs }
    const because = decision.reason === null ? {} : { reason: decision.reason }
    if (how === 'answered' || how === 'stored') log.info(facts, 'request answered')
    else log.error({ ...facts, ...because }, 'request answered with its `otherwise`')
    const lateMs = durationMs - answerer.withinMs
    if (lateMs > LATE_MS) log.error({ ...facts, lateMs }, 'a reply went out late: the event loop stood still')
    if (!isKept) log.warn(facts, 'a reply goes out before its request is stored')
    return toReply(decision)
  }

  return {
    reply(entry, startedAt) {
      const replying = reply(entry, startedAt)
      underWay.add(replying)
      return replying.finally(() => underWay.delete(replying))
    },
    async whenReplied() {
      while (underWay.size > 0) await Promise.allSettled(underWay)
    },
    async whenLastReplied() {
      await Promise.allSettled(underWay)
      // Whoever waits for a reply writes it in this turn.
      await nextTurn()
    },
    async stop(withinMs) {
      stopWarning()
      await later.stop(withinMs)
    },
  }
}

/** Stores keep decisions as they were written. */
const isSame = (one: Decision, other: Decision) => JSON.stringify(one) === JSON.stringify(other)

/** Stripe takes `application/json` alone, and wants the version that the answer is written in. */
function toReply({ answer }: Decision): Reply {
  const body = JSON.stringify(answer)
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'Stripe-Version': Stripe.API_VERSION,
  }
  return { headers, body }
}
