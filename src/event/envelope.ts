import { ReceiverError } from '../errors.ts'
import type { EntryFacts } from '../event.ts'
import { laneOf } from './lane.ts'

/** The facts that an event's own body tells. */
export interface Envelope extends Omit<EntryFacts, 'receivedAt' | 'route' | 'source' | 'secret'> {
  /** What stands at the searched fields, each once. */
  readonly values: readonly string[]
}

type Json = Record<string, unknown>

const NOTHING_SEARCHED: readonly string[] = []
const NO_TYPES: ReadonlySet<string> = new Set()

/**
 * Body of an event, snapshot or thin → its facts, and what stands at the `searchFields`, paths such as `data.object.customer`. A missing or oddly typed optional field is null; throws ReceiverError
 * `bad_payload` when the body is not JSON, or not an event of either shape. Of the `requestTypes`, an `object` may be missing.
 */
export function parseEnvelope(
  text: string,
  searchFields: readonly string[] = NOTHING_SEARCHED,
  requestTypes: ReadonlySet<string> = NO_TYPES,
): Envelope {
  const event = parseEvent(text, requestTypes)
  const { id: eventId, type } = event
  if (!isName(eventId) || !isName(type)) throw badPayload('an object without a string `id` and `type`')
  const isThin = event.object === 'v2.core.event'
  const subject = toObject(isThin ? event.related_object : toObject(event.data).object)
  const account = toText(event.account) ?? toText(toText(event.context)?.split('/').at(-1))
  const objectId = toText(subject.id)
  const snapshotEventId = isThin ? toText(event.snapshot_event) : null
  return {
    eventId,
    type,
    shape: isThin ? 'thin' : 'snapshot',
    account,
    objectId,
    lane: laneOf({ eventId, type, account, objectId, snapshotEventId }),
    snapshotEventId,
    livemode: typeof event.livemode === 'boolean' ? event.livemode : null,
    apiVersion: toText(event.api_version),
    createdAt: toInstant(event.created),
    values: searchFields.length === 0 ? NOTHING_SEARCHED : findValues(event, searchFields),
  }
}

function parseEvent(text: string, requestTypes: ReadonlySet<string>): Json {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw badPayload('a body that is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badPayload('JSON that is not an object')
  const event = toObject(value)
  if (event.object === 'event' || event.object === 'v2.core.event') return event
  // Stripe signs its hooks as events, and leaves this out.
  if (event.object === undefined && isName(event.type) && requestTypes.has(event.type)) return event
  throw badPayload('an object of another kind')
}

/** Of an object that stands in place of its id, as one that was expanded, the id. What is longer than an id, or no plain value, is left out. */
function findValues(event: Json, paths: readonly string[]): string[] {
  const found = new Set<string>()
  for (const path of paths) {
    const value = path
      .split('.')
      .reduce<unknown>((at, name) => (Object.hasOwn(toObject(at), name) ? toObject(at)[name] : undefined), event)
    const plain = typeof value === 'object' ? toObject(value).id : value
    const text = typeof plain === 'number' || typeof plain === 'boolean' ? String(plain) : plain
    if (typeof text === 'string' && isSearchable(text)) found.add(text)
  }
  return [...found]
}

function isSearchable(text: string): boolean {
  return text.length > 0 && text.length <= MAX_VALUE_LENGTH && text.isWellFormed() && !text.includes('\0')
}

const MAX_VALUE_LENGTH = 255

function badPayload(came: string): ReceiverError {
  return new ReceiverError(
    'bad_payload',
    `expected an event (\`object\` "event" or "v2.core.event"), and ${came} came, rightly signed: is the secret used for something else too?`,
  )
}

function toObject(value: unknown): Json {
  // Any object can be read by key; what is read is unknown.
  return typeof value === 'object' && value !== null ? (value as Json) : {}
}

/** Ids and types are short and plain at Stripe. What is not could become another id in the store, or a line of its own in a log. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,255}$/.test(value)
}

function toText(value: unknown): string | null {
  return isName(value) ? value : null
}

/** Snapshot events say seconds, thin events an ISO string. */
function toInstant(created: unknown): Date | null {
  if (typeof created !== 'number' && typeof created !== 'string') return null
  const instant = new Date(typeof created === 'number' ? created * 1000 : created)
  return Number.isNaN(instant.getTime()) ? null : instant
}
