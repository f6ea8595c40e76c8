import type Stripe from 'stripe'
import { PermanentError } from './errors.ts'
import { parseEnvelope } from './event/envelope.ts'
import { isEventType } from './event/known-types.ts'
import { isThinType } from './event/twin.ts'
import type { AnyEvent, EntryFacts, EventOf, EventSource, EventType, Fallback, HandlerMap, Outcome } from './event.ts'
import { createLog } from './log.ts'
import { createSample, type Sample } from './samples/event.ts'
import { createStripeClients } from './stripe/client.ts'
import { fetchLatest } from './stripe/fetch-latest.ts'
import { createDispatch } from './worker/dispatch.ts'

// For tests of handlers, a user's own too: they import it by this path.

/** Any part of an event, to any depth. An array or a function is taken whole; `undefined` leaves the field out. */
export type Overrides<T> = T extends Stripe.StripeContextType
  ? string
  : T extends readonly unknown[] | ((...args: never) => unknown)
    ? T
    : T extends object
      ? { readonly [K in keyof T]?: Overrides<T[K]> | undefined }
      : T

/**
 * An event of the type as a handler gets it, with ids of its own and the overrides over it. What a thin event fetches is the sample of
 * its object (null when it names none), without network: `fetchRelatedObject` and `fetchEvent` can be overridden too.
 */
export function sampleEvent<T extends EventType>(type: T, overrides?: Overrides<EventOf<T>>): EventOf<T>
// The SDK's types check each sample, and what overrides it; the union of all of them is more than the compiler follows.
export function sampleEvent(type: EventType, overrides: Json = {}): unknown {
  if (!isEventType(type)) throw new TypeError(`There is no event type ${type}.`)
  const sample = createSample({ type, now: new Date() })
  return isThinType(type) ? parseThin(sample, overrides) : merge(sample.snapshot, overrides)
}

function parseThin({ thin, related, fetchedData }: Sample, { fetchEvent, fetchRelatedObject, ...overrides }: Json) {
  const body = merge(thin, overrides)
  const named = toJson(toJson(body).related_object)
  const text = JSON.stringify(body)
  const answer = 'url' in named ? { ...related, ...('id' in named && { id: named.id }) } : null
  return Object.assign(withoutKey().parse(entryOf(text), Buffer.from(text)), {
    fetchEvent: fetchEvent ?? (async () => ({ ...JSON.parse(text), ...(fetchedData && { data: fetchedData }) })),
    fetchRelatedObject: fetchRelatedObject ?? (async () => structuredClone(answer)),
  })
}

export interface RunHandlerOptions {
  /**
   * What `ctx.stripe` is, and what `ctx.latest()` asks about a snapshot: the test's own double, with what the handler uses. Without one,
   * both throw `PermanentError`.
   */
  readonly stripe?: { readonly [K in keyof Stripe]?: unknown }
  /** False as on a server without STRIPE_API_KEY: `ctx.stripe` and a thin event's fetches throw `PermanentError`. Default true. */
  readonly hasApiKey?: boolean
  /** Runs for a type that the map does not have. */
  readonly fallback?: Fallback
  /** What `ctx.isSuperseded` is. Default false. */
  readonly isSuperseded?: boolean
}

/** A line of the log, with its level's name. */
export interface LogLine {
  readonly level: string
  readonly msg: string
  readonly [fact: string]: unknown
}

/** What became of an attempt. */
export interface HandlerResult {
  /** As the server would record it: `handled`, `unhandled`, `pending` for a retry or `dead`, with the reason. */
  readonly outcome: Outcome
  /** What the handler threw. */
  readonly error?: unknown
  /** What it logged through `ctx.log`, in order, without the times. */
  readonly lines: readonly LogLine[]
}

/** Runs the handler of the event's type once, as the server does in a first attempt. Never rejects for what the handler throws. */
export async function runHandler(
  handlers: HandlerMap,
  event: AnyEvent,
  { stripe, hasApiKey = true, fallback, isSuperseded = false }: RunHandlerOptions = {},
): Promise<HandlerResult> {
  const written: string[] = []
  const log = await createLog('trace', { write: (line) => void written.push(line) })
  const text = bodyOf(event)
  const entry = entryOf(text)
  const dispatch = createDispatch({
    handlers: { map: handlers, fallback },
    events: {
      ...(hasApiKey ? withKey(event, stripe) : withoutKey()),
      // Warning of another version is the server's affair, not the handler's.
      apiVersion: entry.apiVersion ?? '',
    },
    log,
    timeoutMs: 30_000,
    overrunMs: 30_000,
    onStuck: () => {},
    maxAttempts: 20,
    twins: 'one',
    random: () => 0.5,
  })
  const lease = {
    ...{ entry, body: Buffer.from(text), attempt: 1, isSuperseded, isForwarded: false },
    ...{ handledTwin: null, lastFailure: null, token: '' },
  }
  const ended = await dispatch(lease, new AbortController().signal)
  const nameOf = (level: number) => log.levels.labels[level] ?? String(level)
  return { ...ended, lines: written.map((line) => parseLine(line, nameOf)) }
}

function withKey(event: AnyEvent, stripe: RunHandlerOptions['stripe']): EventSource {
  function clientFor(): Stripe {
    if (stripe === undefined) throw new PermanentError(NO_DOUBLE)
    // A double stands for the whole client: what it lacks fails the handler that uses it.
    return stripe as Stripe
  }
  return {
    ...withoutKey(),
    hasApiKey: true,
    parse: () => event,
    clientFor,
    // A thin event fetches its object by itself.
    fetchLatest: async (given) => fetchLatest(given.object === 'event' ? clientFor() : (stripe as Stripe), given),
  }
}

const NO_DOUBLE =
  'This handler reads ctx.stripe, or calls ctx.latest(): give it a double, as in runHandler(handlers, event, { stripe })'

function withoutKey(): EventSource {
  return createStripeClients({ apiKey: undefined, apiBase: undefined })
}

/** The SDK makes an object of a notification's context. */
function bodyOf(event: AnyEvent): string {
  return JSON.stringify({ ...event, context: event.context?.toString() })
}

function entryOf(text: string): EntryFacts {
  const envelope = parseEnvelope(text)
  const route = envelope.account === null ? 'account' : 'connect'
  return { ...envelope, receivedAt: new Date(), route, source: 'delivery', secret: '1:…test' }
}

function parseLine(text: string, nameOf: (level: number) => string): LogLine {
  const { time: _, level, ...line } = JSON.parse(text)
  return { ...line, level: nameOf(level) }
}

type Json = Readonly<Record<string, unknown>>

function toJson(value: unknown): Json {
  // Any object can be read by key; what is read is unknown.
  return typeof value === 'object' && value !== null ? (value as Json) : {}
}

function merge(base: unknown, overrides: unknown): unknown {
  if (!isMap(overrides)) return overrides
  const merged = new Map(Object.entries(isMap(base) ? base : {}))
  for (const [key, value] of Object.entries(overrides)) merged.set(key, merge(merged.get(key), value))
  return Object.fromEntries([...merged].filter(([, value]) => value !== undefined))
}

function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
