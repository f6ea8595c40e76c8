import type { SampleFacts } from './facts.ts'
import { fullObjects } from './full-objects.ts'
import { fieldValues, type Kind, type KindName, kinds } from './kinds.ts'

/** An object as JSON: what it holds goes by its type at Stripe. */
export type SampleObject = Readonly<Record<string, unknown>>

const names = Object.keys(kinds) as readonly KindName[]

/** Which kind of object a type is about, without `v1.`, and what happened to it: `failed` of `payout.failed`. */
export function kindOf(type: string): { readonly name: KindName; readonly change: string } {
  const fits = (name: string) => type === name || type.startsWith(`${name}.`) || type.startsWith(`${name}[`)
  const [name] = names.filter(fits).sort((a, b) => b.length - a.length)
  if (name === undefined) throw new TypeError(`No kind of object in src/samples/kinds.ts is what ${type} is about.`)
  return { name, change: type.slice(name.length + 1) }
}

/** The object that an event of the type (without `v1.`) is about: in full for those that most handlers are for. */
export function createObject(type: string, facts: SampleFacts): SampleObject {
  const { name, change } = kindOf(type)
  const full = fullObjects[name]
  // As JSON: the SDK's types have numbers as objects where Stripe sends text.
  return JSON.parse(JSON.stringify(full === undefined ? createBareObject(name, change, facts) : full(facts, change)))
}

/** What every object of its kind has, and what the type tells of it. */
function createBareObject(name: KindName, change: string, facts: SampleFacts): object {
  const kind: Kind = kinds[name]
  const { lacks = [], statuses = [], becomes = {} } = kind
  const status = becomes[change] ?? statuses.find((each) => each === change) ?? statuses[0]
  const created = name.startsWith('v2.') ? new Date(facts.createdSeconds * 1_000).toISOString() : facts.createdSeconds
  return {
    ...(kind.id === undefined ? {} : { id: createObjectId(kind.id, facts) }),
    object: kind.object ?? name,
    ...(lacks.includes('created') ? {} : { created }),
    ...(lacks.includes('livemode') ? {} : { livemode: facts.livemode }),
    ...Object.fromEntries((kind.with ?? []).map((field) => [field, createValue(fieldValues[field], facts)])),
    ...kind.more?.(facts),
    ...(status === undefined ? {} : { status }),
  }
}

function createObjectId(id: string, { account, createId }: SampleFacts): string {
  if (id === 'acct_') return account
  return id.startsWith('=') ? id.slice(1) : createId(id)
}

function createValue(value: unknown, { createId }: SampleFacts): unknown {
  return typeof value === 'string' && value.endsWith('_') ? createId(value) : value
}

/** Twins whose thin event names no object, though others about the same kind do. */
const unnamed = ['v1.billing.meter.no_meter_found', 'v1.customer.discount.source_changed', 'v1.invoice.upcoming']

/** What a thin event of the type tells of the object that it is about; undefined where Stripe names none. */
export function describeRelatedObject(
  type: string,
  object: SampleObject,
): { readonly id?: unknown; readonly type: unknown; readonly url: string } | undefined {
  const { name } = kindOf(type.replace(/^v1\./, ''))
  const kind: Kind = kinds[name]
  const named = relatedOf(object)
  const place = String(named.object).replaceAll('.', '/')
  const path = kind.path === undefined ? `${place.startsWith('v2/') ? '/' : '/v1/'}${place}s/:id` : kind.path
  if (path === null || unnamed.includes(type)) return undefined
  const url = path.replace(/:(\w+)/g, (_, field) => String(named[field]))
  // What an account or a customer has one of is named by its place alone.
  return path.endsWith('/:id') ? { id: named.id, type: named.object, url } : { type: named.object, url }
}

/** What a thin event's object is, given the snapshot's: an alert, not that it was triggered. */
export function relatedOf(object: SampleObject): SampleObject {
  // A sample's alert is an object.
  return object.object === 'billing.alert_triggered' ? (object.alert as SampleObject) : object
}
