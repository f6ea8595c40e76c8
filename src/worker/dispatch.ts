import { isPermanentError } from '../errors.ts'
import { isKnownType } from '../event/known-types.ts'
import type { AnyEvent, EventSource, EventType, FallbackContext, Handlers, Lease, Outcome } from '../event.ts'
import { describeError, type Log } from '../log.ts'
import { retryDelay } from './retry-delay.ts'

/** How an attempt ended, for the store and for the log. */
export interface Ended {
  readonly outcome: Outcome
  /** What the handler threw, or why it was cut off; undefined when it did not fail. */
  readonly error?: unknown
}

/** Runs one attempt. Never rejects; `shutdown` cuts it off. */
export type Dispatch = (lease: Lease, shutdown: AbortSignal) => Promise<Ended>

export interface DispatchOptions {
  readonly handlers: Handlers
  readonly events: EventSource
  readonly log: Log
  /** Of one attempt, from the handler's start. */
  readonly timeoutMs: number
  readonly maxAttempts: number
  /** `one`: of a change that came in both shapes, one event reaches its handler. */
  readonly twins: 'one' | 'both'
  readonly random?: () => number
}

/** Entry → handler, with its context, time limit and abort signal; and what it did → outcome. */
export function createDispatch(options: DispatchOptions): Dispatch {
  const { handlers, maxAttempts, random = Math.random } = options
  const warnOfVersion = createVersionWarning(options)
  return async (lease, shutdown) => {
    if (lease.attempt > maxAttempts)
      return { outcome: { state: 'dead', error: `${maxAttempts} attempts ended with their process` } }
    if (lease.handledTwin !== null && options.twins === 'one') {
      return { outcome: { state: 'handled', reason: `its twin ${lease.handledTwin} was handled (TWINS)` } }
    }
    warnOfVersion(lease)
    try {
      const event = options.events.parse(lease.entry, lease.body)
      const run = findHandler(handlers, lease.entry.type)
      if (run === undefined) return { outcome: { state: 'unhandled' } }
      await runWithin(options.timeoutMs, shutdown, (signal) => {
        const ctx = createContext(options, { lease, event, signal })
        return options.events.runWithin(signal, () => run(event, ctx))
      })
      const reason = whyNotForTwin(handlers, lease.entry.type)
      return { outcome: reason === undefined ? { state: 'handled' } : { state: 'handled', reason } }
    } catch (error) {
      if (error instanceof ShutdownAbort)
        return { outcome: { state: 'pending', retryInMs: 0, error: error.message }, error }
      const reason = describeError(error).message
      const retryInMs = isPermanentError(error) ? undefined : retryDelay(lease.attempt, maxAttempts, random)
      return {
        outcome:
          retryInMs === undefined ? { state: 'dead', error: reason } : { state: 'pending', retryInMs, error: reason },
        error,
      }
    }
  }
}

/** Why its twin must still reach a handler of its own; undefined when this one was that of both. */
function whyNotForTwin({ map, yielding }: Handlers, type: string): string | undefined {
  if (!Object.hasOwn(map, type)) return 'by the fallback: its type has no handler'
  return yielding?.has(type) ? 'by the built-in handler: its twin has one of HANDLERS' : undefined
}

const MAX_VERSIONS_WARNED_OF = 100

/** Fields may differ from the SDK's types, and Stripe never renders an event again: it is handled all the same. */
function createVersionWarning({ events, log }: DispatchOptions): (lease: Lease) => void {
  const seen = new Set<string>([events.apiVersion])
  return ({ entry }) => {
    if (entry.apiVersion === null || seen.has(entry.apiVersion) || seen.size > MAX_VERSIONS_WARNED_OF) return
    seen.add(entry.apiVersion)
    const facts = { apiVersion: entry.apiVersion, sdkApiVersion: events.apiVersion, eventId: entry.eventId }
    log.warn(facts, 'events come in another API version than the SDK is typed for; set the version of the destination')
  }
}

type Run = (event: AnyEvent, ctx: FallbackContext) => void | Promise<void>

function findHandler({ map, fallback }: Handlers, type: string): Run | undefined {
  // Own keys only: an event type named `constructor` must reach the fallback.
  if (!Object.hasOwn(map, type)) return fallback
  // The map pairs each type with the handler of its event, and the event that arrives is of the type looked up.
  return map[type as EventType] as Run
}

function createContext(
  { events, log }: DispatchOptions,
  attempt: { lease: Lease; event: AnyEvent; signal: AbortSignal },
): FallbackContext {
  const { entry, attempt: number } = attempt.lease
  let child: Log | undefined
  return {
    get stripe() {
      return events.clientFor(attempt.event)
    },
    hasApiKey: events.hasApiKey,
    get log() {
      child ??= log.child({
        eventId: entry.eventId,
        type: entry.type,
        ...(entry.account === null ? {} : { account: entry.account }),
      })
      return child
    },
    attempt: number,
    signal: attempt.signal,
    idempotencyKey: entry.eventId,
    entry,
    known: isKnownType(entry.type),
  }
}

class ShutdownAbort extends Error {
  override readonly name = 'ShutdownAbort'
}

/** What a handler does after it was cut off changes nothing: its result is not waited for, and a late failure is dropped. */
async function runWithin(
  timeoutMs: number,
  shutdown: AbortSignal,
  run: (signal: AbortSignal) => void | Promise<void>,
): Promise<void> {
  const limit = new AbortController()
  const running = run(limit.signal)
  if (running === undefined) return
  const { promise: cutOff, reject } = Promise.withResolvers<never>()
  const abort = (error: Error) => {
    limit.abort(error)
    reject(error)
  }
  const onShutdown = () => abort(new ShutdownAbort('cut off because the server stopped'))
  const timer = setTimeout(() => abort(new Error(`no result within ${timeoutMs} ms (HANDLER_TIMEOUT_MS)`)), timeoutMs)
  shutdown.addEventListener('abort', onShutdown, { once: true })
  try {
    await Promise.race([running, cutOff])
  } finally {
    clearTimeout(timer)
    shutdown.removeEventListener('abort', onShutdown)
  }
}
