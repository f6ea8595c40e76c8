import { readFileSync } from 'node:fs'
import Stripe from 'stripe'
import { PermanentError } from '../../src/errors.ts'
import type { AnyEvent, EntryFacts, Handler, HandlerContext, SnapshotType, ThinType } from '../../src/event.ts'
import { handlerMap } from '../../src/handlers/built-in/map.ts'
import type { ObjectOf } from '../../src/handlers/built-in/related-object.ts'
import { createLog } from '../../src/log.ts'
import { createSample } from '../../src/samples/event.ts'

export type BuiltInType = keyof typeof handlerMap

/** A line as pino wrote it, without its time. */
export interface LogLine {
  readonly [fact: string]: unknown
  readonly level: number
  readonly msg: string
}

export const INFO = 30
export const WARN = 40

interface ContextOptions {
  readonly hasApiKey?: boolean
  /** What the handler calls by itself. */
  readonly stripe?: Stripe
}

/** A context for the event whose log is kept: `lines` reads what was logged so far. */
export async function createHandlerContext(
  event: AnyEvent,
  { hasApiKey = true, stripe }: ContextOptions = {},
): Promise<{ ctx: HandlerContext; lines: () => LogLine[] }> {
  const written: string[] = []
  const log = await createLog('trace', { write: (line) => void written.push(line) })
  const entry = entryOf(event)
  const ctx: HandlerContext = {
    get stripe(): Stripe {
      if (stripe !== undefined) return stripe
      throw new PermanentError('The test of this handler has no Stripe.')
    },
    hasApiKey,
    async latest() {
      if ('fetchRelatedObject' in event) return event.fetchRelatedObject()
      throw new PermanentError('No built-in handler asks for the object that a snapshot event holds.')
    },
    isSuperseded: false,
    log: log.child({ eventId: entry.eventId, type: entry.type, account: entry.account }),
    attempt: 1,
    signal: new AbortController().signal,
    idempotencyKey: entry.eventId,
    entry,
  }
  return { ctx, lines: () => written.map(parseLine) }
}

/** Runs the built-in handler of the event's type and returns its one log line; throws when it wrote none or several. */
export async function runBuiltIn(event: AnyEvent, options?: ContextOptions): Promise<LogLine> {
  const { ctx, lines } = await createHandlerContext(event, options)
  // The event's own type picks the handler: a pairing that types cannot follow through a union.
  const handler = handlerMap[event.type as BuiltInType] as Handler<BuiltInType>
  await handler(event as Parameters<typeof handler>[0], ctx)
  const [line, ...more] = lines()
  if (!line || more.length > 0) throw new Error(`Expected one log line, got ${lines().length}.`)
  return line
}

/** A captured event. */
export function readPayload<T extends SnapshotType>(type: T, file: string): Extract<Stripe.Event, { type: T }> {
  const event = Stripe.webhooks.constructEventWithoutVerification(readFixture(`payloads/${file}.json`))
  if (event.type !== type) throw new Error(`Expected ${type} in ${file}, got ${event.type}.`)
  // The line above compared the type.
  return event as Extract<Stripe.Event, { type: T }>
}

/** Stripe's schema sample of a type's object, with changes. Its states are plausible one by one, not together. */
export function readObject<T extends SnapshotType>(
  _type: T,
  file: string,
  changes: Partial<ObjectOf<NoInfer<T>>> = {},
): ObjectOf<T> {
  return { ...JSON.parse(readFixture(`objects/${file}.json`)), ...changes }
}

/** A snapshot event of a connected account around an object. */
export function snapshotOf<T extends SnapshotType>(type: T, object: ObjectOf<T>): Extract<Stripe.Event, { type: T }> {
  const event = {
    id: 'evt_1Snapshot',
    object: 'event',
    account: 'acct_1Connected',
    api_version: '2026-10-28.endive',
    created: 1_700_000_000,
    data: { object },
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type,
  }
  // The object is the one of the type.
  return event as unknown as Extract<Stripe.Event, { type: T }>
}

/** A snapshot event around the sample of an authorization, with changes. */
export function authorizationOf(
  type: 'issuing_authorization.created',
  changes: Partial<Stripe.Issuing.Authorization> = {},
): Extract<Stripe.Event, { type: 'issuing_authorization.created' }> {
  const { related } = createSample({ type, now: new Date() })
  // It is the sample of the type's object.
  return snapshotOf(type, { ...(related as unknown as Stripe.Issuing.Authorization), ...changes })
}

/**
 * A thin event of a connected account, as the SDK parses it. `related` is its `related_object`, left out when undefined;
 * `fetched` is what fetching it gives, or an error.
 */
export function thinOf(type: ThinType, related?: { id?: string; type: string }, fetched?: unknown) {
  const body = {
    id: 'evt_test_1Thin',
    object: 'v2.core.event',
    type,
    created: '2026-11-01T00:00:00.000Z',
    livemode: false,
    context: 'acct_1Connected',
    ...(related && { related_object: { ...related, url: `/v1/${related.type}s/${related.id}` } }),
  }
  const notification = new Stripe('sk_test_handlers').parseEventNotificationWithoutVerification(JSON.stringify(body))
  const fetchRelatedObject = async () => {
    if (fetched instanceof Error) throw fetched
    return fetched ?? null
  }
  return related ? Object.assign(notification, { fetchRelatedObject }) : notification
}

/** The object as an API version sends it that does not have the fields yet. */
export function without<T extends object>(object: T, ...fields: (keyof T)[]): T {
  const copy = { ...object }
  for (const field of fields) delete copy[field]
  return copy
}

function readFixture(path: string): string {
  return readFileSync(new URL(`../fixtures/${path}`, import.meta.url), 'utf8')
}

function parseLine(text: string): LogLine {
  const { time: _, ...line } = JSON.parse(text)
  return line
}

function entryOf(event: AnyEvent): EntryFacts {
  const isSnapshot = event.object === 'event'
  return {
    eventId: event.id,
    type: event.type,
    shape: isSnapshot ? 'snapshot' : 'thin',
    account: isSnapshot ? (event.account ?? null) : (event.context?.segments.at(-1) ?? null),
    objectId: objectIdOf(event),
    lane: `${event.id}`,
    snapshotEventId: null,
    source: 'delivery',
    livemode: event.livemode,
    apiVersion: isSnapshot ? event.api_version : null,
    createdAt: null,
    receivedAt: new Date(),
    route: 'connect',
    secret: '1:…test',
  }
}

function objectIdOf(event: AnyEvent): string | null {
  const object: object | null | undefined =
    event.object === 'event' ? event.data.object : 'related_object' in event ? event.related_object : null
  return object && 'id' in object && typeof object.id === 'string' ? object.id : null
}
