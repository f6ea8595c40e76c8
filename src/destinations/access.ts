import Stripe from 'stripe'
import { isKnownType } from '../event/known-types.ts'
import { explainFailure } from '../stripe/failure.ts'
import { type Finding, listTypes } from './finding.ts'
import { shapeOfType } from './needed.ts'
import { resourceOf } from './resource.ts'
import type { Site } from './sites.ts'
import { sends } from './types.ts'

/** One GET each: more resources than this would be many requests for one look. */
const MAX_RESOURCES = 20

/**
 * Tries what reconcile reads, and what the handlers of thin events fetch that the sites are sent: one object of each. A finding for
 * each that the key may not read, and one for all others. Rejects only with errors that are not the SDK's.
 */
export async function checkAccess(
  client: Stripe,
  handledTypes: readonly string[],
  sites: readonly Site[],
): Promise<Finding[]> {
  const enabled = sites.flatMap(({ destinations }) => destinations.filter(({ isEnabled }) => isEnabled))
  const thin = handledTypes.filter((type) => shapeOfType(type) === 'thin' && isKnownType(type))
  const sent = thin.filter((type) => enabled.some((destination) => sends(destination, type)))
  const resources = Map.groupBy(sent, resourceOf)
  const objects = [...resources.keys()].filter((path) => path !== undefined).slice(0, MAX_RESOURCES)
  const tries = [
    tryEvents(client, '/v1/events'),
    ...(thin.length > 0 ? [tryEvents(client, '/v2/core/events')] : []),
    ...objects.map((path) => tryObjects(client, path, resources.get(path) ?? [])),
  ]
  const results = await Promise.all(tries)
  const readable = results.flatMap(({ name, isRead }) => (isRead ? [name] : []))
  // What keeps Stripe from being reached is the same for each.
  const told = new Map(results.flatMap(({ finding }) => (finding ? [[finding.message, finding]] : [])))
    .values()
    .toArray()
  if (readable.length === 0) return told
  const message = `STRIPE_API_KEY may read ${[...new Set(readable)].join(', ')}`
  return [{ severity: 'ok', check: 'api_permission', message }, ...told]
}

interface Tried {
  readonly name: string
  readonly isRead: boolean
  readonly finding?: Finding
}

function tryEvents(client: Stripe, path: '/v1/events' | '/v2/core/events'): Promise<Tried> {
  const why = 'what Stripe could not deliver is never caught up with (reconcile)'
  const name = path === '/v1/events' ? 'events' : 'thin events'
  return tryToRead(client, { path, name, why, permission: '"Events: Read", for connected accounts too' })
}

function tryObjects(client: Stripe, path: string, types: readonly string[]): Promise<Tried> {
  const name = path.split('/').slice(2).join(' ').replaceAll('_', ' ')
  const why = `handlers cannot fetch what ${listTypes(types, 3)} ${types.length === 1 ? 'is' : 'are'} about`
  return tryToRead(client, { path, name, why, permission: `read access to ${name}`, types })
}

interface Try {
  readonly path: string
  readonly name: string
  /** What comes of it when it may not be read. */
  readonly why: string
  readonly permission: string
  readonly types?: readonly string[]
}

async function tryToRead(client: Stripe, { path, name, why, permission, types }: Try): Promise<Tried> {
  try {
    await client.rawRequest('GET', isSingle(path) ? path : `${path}?limit=1`)
    return { name, isRead: true }
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError)) throw error
    return { name, isRead: false, ...explain(error) }
  }

  function explain(error: Stripe.errors.StripeError): { readonly finding?: Finding } {
    const named = /'(rak_\w+)'/.exec(error.message)?.[1]
    const asked = { action: `read ${path}`, permission: named ? `${permission} (${named})` : permission }
    const { cause, message, mend } = explainFailure(error, asked)
    const about = types && { types }
    if (cause === 'permission') {
      return { finding: { severity: 'fault', check: 'api_permission', message: `${message}: ${why}`, mend, ...about } }
    }
    // An account without the product, or a list that wants more than a limit: that tells nothing of the key.
    if (cause === 'request' && (error.statusCode === 400 || error.statusCode === 404)) return {}
    return { finding: { severity: 'warning', check: 'api_reachable', message, mend } }
  }
}

/** A balance and settings are one object of the account, and no list. */
function isSingle(path: string): boolean {
  return /\/(balance|settings|balance_settings)$/.test(path)
}
