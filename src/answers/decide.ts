import { setTimeout as delay } from 'node:timers/promises'
import type { Answerer, Decision, NewEntry } from '../event.ts'
import { guardListeners } from '../guard-listeners.ts'
import { describeError, type Log } from '../log.ts'
import { checkReply } from './replies.ts'

/** A request, proven to be Stripe's. */
export interface Request {
  readonly entry: NewEntry
  readonly answerer: Answerer<unknown, unknown>
  /** When its head came, on the clock of `performance.now()`. */
  readonly startedAt: number
}

/** Functions that may be asked at once; whatever comes beyond is answered with its `otherwise` at once. */
const MAX_RUNNING = 1_024
/** The same of those that have not returned, in time or not: each keeps its request in memory. */
const MAX_UNRETURNED = 4_096

/** Asks the user's function. Never rejects, and resolves at `withinMs` at the latest; `isNeedless` ends what nobody waits for. */
export type Decide = (request: Request, isNeedless: AbortSignal) => Promise<Decision>

/** Functions have a concurrency of their own: handlers and deliveries take no place from them. */
export function createDecide(log: Log): Decide {
  let running = 0
  let unreturned = 0

  return async ({ entry, answerer, startedAt }, isNeedless) => {
    const { eventId, type, account } = entry
    const child = log.child({ eventId, type, ...(account === null ? {} : { account }) })
    const conclude = (how: Decision['how'], answer: unknown, reason: string | null): Decision => ({
      ...{ answer, how, reason },
      durationMs: Math.round(performance.now() - startedAt),
    })
    const otherwise = (how: 'otherwise' | 'failed', reason: string) => conclude(how, answerer.otherwise, reason)

    if (running >= MAX_RUNNING) return otherwise('otherwise', `${MAX_RUNNING} requests wait for an answer already`)
    if (unreturned >= MAX_UNRETURNED)
      return otherwise(
        'otherwise',
        `${MAX_UNRETURNED} functions for an answer have not returned, long after their time`,
      )
    const isOver = new AbortController()
    // What a listener throws would end the process.
    const signal = guardListeners(AbortSignal.any([isOver.signal, isNeedless]), (err) =>
      child.warn({ err }, 'a listener of the function on ctx.signal threw'),
    )
    const timer = new AbortController()
    const leftMs = Math.max(0, startedAt + answerer.withinMs - performance.now())
    const timeUp = delay(leftMs, TIME_UP, { signal: timer.signal }).catch(() => TIME_UP)
    const isReturned = () => {
      unreturned -= 1
    }
    running += 1
    unreturned += 1
    try {
      // A Buffer, whatever its type says: the signed bytes are those of a delivery.
      const answering = ask(answerer, JSON.parse(Buffer.from(entry.body).toString('utf8')), { signal, log: child })
      answering.then(isReturned, isReturned)
      const answered = await Promise.race([answering, timeUp])
      if (answered !== TIME_UP) return conclude('answered', checkReply(type, answered), null)
      answering.catch((err: unknown) => child.debug({ err }, 'the function for an answer failed after its time'))
      return otherwise('otherwise', `the function did not answer within ${answerer.withinMs} ms`)
    } catch (err) {
      if (!isNeedless.aborted) child.error({ err }, 'the function for an answer failed: `otherwise` is replied')
      return otherwise('failed', describeError(err).message)
    } finally {
      running -= 1
      timer.abort()
      isOver.abort()
    }
  }
}

const TIME_UP = Symbol('time up')

/** What the function throws at once rejects too. */
async function ask(
  answerer: Request['answerer'],
  request: unknown,
  ctx: Parameters<Request['answerer']['answer']>[1],
): Promise<unknown> {
  return answerer.answer(request, ctx)
}
