import { isPermanentError, retryAfter } from '../errors.ts'
import { isCompatible } from '../event/api-version.ts'
import { isKnownType } from '../event/known-types.ts'
import type { AnyEvent, EventSource, EventType, FallbackContext, Handlers, Lease, Outcome } from '../event.ts'
import { guardListeners } from '../guard-listeners.ts'
import { FORWARDED_REASON } from '../inbox/forwards.ts'
import { describeError, type Log } from '../log.ts'
import { retryDelay } from '../retry-delay.ts'
import { type Overrunning, runHandler, ShutdownAbort } from './run-handler.ts'

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
  /** For so much longer a handler that does not end keeps its place and its lane. */
  readonly overrunMs: number
  /** Told by how much the number of handlers past their time limit changed. */
  readonly onOverrunning?: (change: 1 | -1) => void
  /** Told of a handler that holds on for longer than it may: only the end of the process frees its place. */
  readonly onStuck: (lease: Lease) => void
  /** Runs it, and knows until it is through that this lease is worked on. */
  readonly watch?: (lease: Lease, run: () => Promise<void>) => Promise<void>
  readonly maxAttempts: number
  /** `one`: of a change that came in both shapes, one event reaches its handler. */
  readonly twins: 'one' | 'both'
  readonly random?: () => number
}

/** Entry → handler, with its context, time limit and abort signal; and what it did → outcome. */
export function createDispatch(options: DispatchOptions): Dispatch {
  const { handlers, maxAttempts, random = Math.random, watch = (_lease, run) => run() } = options
  const warnOfVersion = createVersionWarning(options)
  return async (lease, shutdown) => {
    if (lease.attempt > maxAttempts) return { outcome: { state: 'dead', error: describeLast(lease) } }
    if (lease.handledTwin !== null && options.twins === 'one') {
      return { outcome: { state: 'handled', reason: `its twin ${lease.handledTwin} was handled (TWINS)` } }
    }
    warnOfVersion(lease)
    try {
      const event = options.events.parse(lease.entry, lease.body)
      const run = findHandler(handlers, lease.entry.type)
      if (run === undefined) return { outcome: lease.isForwarded ? FORWARDED : { state: 'unhandled' } }
      await watch(lease, () =>
        runHandler({
          ...options,
          shutdown,
          overrunning: tellOfOverrunning(options, lease),
          run: (signal) => {
            const ctx = createContext(options, { lease, event, signal })
            return options.events.runWithin(signal, () => run(event, ctx))
          },
        }),
      )
      const reason = whyNotForTwin(handlers, lease.entry.type)
      return { outcome: reason === undefined ? { state: 'handled' } : { state: 'handled', reason } }
    } catch (error) {
      if (isShutdown(error)) return { outcome: { state: 'pending', retryInMs: 0, error: error.message }, error }
      const reason = describeError(error).message
      const delayMs = isPermanentError(error) ? undefined : retryDelay(lease.attempt, maxAttempts, random)
      // Stripe may name a later time: to ask sooner would only be refused once more.
      const retryInMs = delayMs === undefined ? undefined : Math.max(delayMs, retryAfter(error) ?? 0)
      return {
        outcome:
          retryInMs === undefined ? { state: 'dead', error: reason } : { state: 'pending', retryInMs, error: reason },
        error,
      }
    }
  }
}

/** Its targets take it: nobody has to look at it here. */
const FORWARDED: Outcome = { state: 'handled', reason: FORWARDED_REASON }

function describeLast({ attempt, lastFailure }: Lease): string {
  return `${attempt - 1} attempts (MAX_ATTEMPTS), the last: ${lastFailure ?? 'not recorded'}`
}

function isShutdown(error: unknown): error is ShutdownAbort {
  try {
    return error instanceof ShutdownAbort
  } catch {
    return false
  }
}

/** Why its twin must still reach a handler of its own; undefined when this one was that of both. */
function whyNotForTwin({ map, yielding }: Handlers, type: string): string | undefined {
  if (!Object.hasOwn(map, type)) return 'by the fallback: its type has no handler'
  return yielding?.has(type) ? 'by the built-in handler: its twin has one of HANDLERS' : undefined
}

function tellOfOverrunning({ log, onOverrunning, onStuck, overrunMs }: DispatchOptions, lease: Lease): Overrunning {
  const { eventId, type } = lease.entry
  const facts = { eventId, type, attempt: lease.attempt }
  return {
    onBegin() {
      onOverrunning?.(1)
      log.warn(
        { ...facts, overrunMs },
        'handler goes on after its time limit; it keeps its place and its lane until it ends',
      )
    },
    onEnd: () => onOverrunning?.(-1),
    onStuck: () => onStuck(lease),
  }
}

const MAX_VERSIONS_WARNED_OF = 100

/** Fields may differ from the SDK's types, and Stripe never renders an event again: it is handled all the same. */
function createVersionWarning({ events, log }: DispatchOptions): (lease: Lease) => void {
  const seen = new Set<string>()
  return ({ entry }) => {
    if (entry.apiVersion === null || seen.has(entry.apiVersion) || seen.size > MAX_VERSIONS_WARNED_OF) return
    seen.add(entry.apiVersion)
    if (isCompatible(entry.apiVersion, events.apiVersion)) return
    const facts = { apiVersion: entry.apiVersion, sdkApiVersion: events.apiVersion, eventId: entry.eventId }
    log.warn(
      facts,
      'events come in another major API version than the SDK is typed for; set the version of the destination',
    )
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
  let guarded: AbortSignal | undefined
  return {
    get stripe() {
      return events.clientFor(attempt.event)
    },
    hasApiKey: events.hasApiKey,
    latest: () => events.fetchLatest(attempt.event),
    isSuperseded: attempt.lease.isSuperseded,
    get log() {
      child ??= log.child({
        eventId: entry.eventId,
        type: entry.type,
        ...(entry.account === null ? {} : { account: entry.account }),
      })
      return child
    },
    attempt: number,
    get signal() {
      guarded ??= guardListeners(attempt.signal, (error) =>
        this.log.warn({ err: error }, 'a listener of the handler on ctx.signal threw'),
      )
      return guarded
    },
    idempotencyKey: entry.eventId,
    // What a handler did to it would reach the store.
    entry: Object.freeze(entry),
    known: isKnownType(entry.type),
  }
}
