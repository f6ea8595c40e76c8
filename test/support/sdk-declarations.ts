import { globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

// What the installed SDK declares of objects and events, read from the text of its declarations: types alone tell no test which
// fields there are.

const resources = join(dirname(createRequire(import.meta.url).resolve('stripe')), '../esm/resources')
const read = (path: string): string => readFileSync(join(resources, path), 'utf8')

/** An object as the SDK declares it. */
export interface DeclaredObject {
  /** Its `object`. */
  readonly object: string
  /** Fields that every one has, with their types as written. */
  readonly required: ReadonlyMap<string, string>
  /** Names of all fields. */
  readonly fields: readonly string[]
  /** The values of its `status`, if it has one and they are listed. */
  readonly statuses: readonly string[]
}

/** Name as events refer to it, such as `Billing.Meter` or `V2.Core.Account`, → its declaration. */
const objects = new Map(
  globSync('**/*.d.ts', { cwd: resources }).flatMap((path) => {
    const folder = dirname(path) === '.' ? [] : dirname(path).split('/')
    const text = read(path)
    return [...text.matchAll(/^export interface (\w+) (?:extends [^{]+)?\{(.*?)^\}/gms)].flatMap(
      ([, name, body = '']) => {
        const declared = declarationOf(body, text)
        return declared ? [[[...folder, name].join('.'), declared] as const] : []
      },
    )
  }),
)

function declarationOf(body: string, file: string): DeclaredObject | undefined {
  const required = new Map(
    [...body.matchAll(/^ {4}(\w+): ([^;]+);/gm)].map(([, name = '', type = '']) => [name, type] as const),
  )
  const fields = [...body.matchAll(/^ {4}(\w+)\??: /gm)].map(([, name = '']) => name)
  const [, object] = /^'([^']+)'$/.exec(required.get('object') ?? '') ?? []
  if (object === undefined) return undefined
  const status = required.get('status') ?? ''
  const listed = status.includes("'") ? status : (/type Status = ([^;]+);/.exec(file)?.[1] ?? '')
  const statuses =
    status === '' || status.startsWith('string') ? [] : [...listed.matchAll(/'(\w+)'/g)].map(([, value = '']) => value)
  return { object, required, fields, statuses }
}

/** Unions that events are about, by what samples are. */
const unions = new Map([
  ['ExternalAccount', 'BankAccount'],
  ['CustomerSource', 'Card'],
])

/** The object of that name in an event's declaration, where `V1` and `V2.` are left out or not. */
export function declaredObject(name: string): DeclaredObject {
  const plain = name.replace(/^V1/, '')
  const found = objects.get(unions.get(plain) ?? plain) ?? objects.get(`V2.${plain}`)
  if (found === undefined) throw new Error(`The SDK declares no object ${name}, or not as this file reads it.`)
  return found
}

/** Snapshot type → name of its `data.object`. */
export const snapshotObjects: ReadonlyMap<string, string> = new Map(
  [...read('Events.d.ts').matchAll(/^ {4}type: '([^']+)';\n {4}data: .*?^ {8}object: ([^;]+);/gms)].map(
    ([, type = '', object = '']) => [type, object],
  ),
)

/** Thin type → name of its related object and whether it has an id; null when it names none. */
export const thinObjects: ReadonlyMap<string, { readonly name: string; readonly hasId: boolean } | null> = new Map(
  [
    ...read('V2/Core/Events.d.ts').matchAll(
      /^export interface \w+EventNotification extends EventNotificationBase \{(.*?)^\}/gms,
    ),
  ].map(([, body = '']) => {
    const [, type = ''] = /type: '([^']+)'/.exec(body) ?? []
    const [, kind] = /related_object: V2\.Core\.Events\.(\w+);/.exec(body) ?? []
    const [, name = ''] = /fetchRelatedObject\(\): Promise<([^>]+)>/.exec(body) ?? []
    return [type, kind === undefined ? null : { name, hasId: kind === 'RelatedObject' }]
  }),
)

/** Paths that the SDK asks for, with `:` for each id. */
export const knownPaths: ReadonlySet<string> = new Set(
  globSync('**/*.js', { cwd: resources }).flatMap((path) =>
    [...read(path).matchAll(/'(?:GET|DELETE)', [`']([^`']+)[`']/g)].map(([, url = '']) =>
      url.replace(/\$\{[^}]+\}/g, ':'),
    ),
  ),
)
