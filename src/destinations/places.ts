import { isCompatible } from '../event/api-version.ts'
import type { Finding } from './finding.ts'
import { type PlacedDestination, type Site, shareEvents } from './sites.ts'

/** Checks each destination of a site by itself, and beside the others at its URL. */
export function checkPlaces(site: Site, expected: { readonly apiVersion: string; readonly hasConnectSecret: boolean }) {
  const enabled = site.destinations.filter(({ isEnabled }) => isEnabled)
  return [
    ...site.destinations
      .filter(({ isEnabled }) => !isEnabled)
      .map((destination) => checkDisabled(destination, enabled)),
    ...checkSingle(enabled),
    ...enabled.flatMap((destination) => checkVersion(destination, expected.apiVersion)),
    ...enabled.flatMap(checkOrigin),
    ...(expected.hasConnectSecret ? [] : enabled.flatMap(checkConnectSecret)),
  ]
}

export function describePlaced({ id, place }: PlacedDestination): string {
  return `${id} at ${place}`
}

function checkDisabled(disabled: PlacedDestination, enabled: readonly PlacedDestination[]): Finding {
  const isReplaced = enabled.some(({ place }) => place === disabled.place)
  return {
    severity: isReplaced ? 'warning' : 'fault',
    check: 'destination_enabled',
    message: `${describePlaced(disabled)} is disabled: Stripe sends nothing there${isReplaced ? ', and something else does' : ''}`,
    mend: isReplaced
      ? 'delete it in Workbench once it is not wanted back'
      : 'enable it in Workbench; then fetch what was made meanwhile, which Stripe does not send again: npm run reconcile -- --all',
    destinations: [disabled.id],
  }
}

/** At one URL, two of one shape that send the same accounts' events. */
function checkSingle(enabled: readonly PlacedDestination[]): Finding[] {
  const findings: Finding[] = []
  const seen = new Set<PlacedDestination>()
  for (const one of enabled) {
    if (seen.has(one)) continue
    const same = enabled.filter(
      (other) => other.place === one.place && other.shape === one.shape && shareEvents(one, other),
    )
    for (const each of same) seen.add(each)
    if (same.length < 2) continue
    const ids = same.map(({ id }) => id)
    findings.push({
      severity: 'fault',
      check: 'destination_single',
      message: `${same.length} destinations send ${one.shape} events to ${one.place}: ${ids.join(', ')}`,
      mend: 'keep one: give it all types, delete the others in Workbench, and take their secrets out of .env',
      destinations: ids,
    })
  }
  return findings
}

function checkVersion(destination: PlacedDestination, expected: string): Finding[] {
  const { id, shape, apiVersion } = destination
  if (shape === 'thin' || (apiVersion !== null && isCompatible(apiVersion, expected))) return []
  const found = apiVersion === null ? "the account's default API version" : `API version ${apiVersion}`
  return [
    {
      severity: 'fault',
      check: 'api_version',
      message: `${describePlaced(destination)} sends ${found}, and the handlers are typed for ${expected}`,
      mend: `a destination keeps its version: make another in its place: npm run destination -- update ${id}`,
      destinations: [id],
    },
  ]
}

function checkOrigin(destination: PlacedDestination): Finding[] {
  const { id, from, route } = destination
  const warn = (message: string, mend: string): Finding[] => [
    { severity: 'warning', check: 'destination_origin', message, mend, destinations: [id] },
  ]
  if (from === 'connect' && route === 'account') {
    return warn(
      `${describePlaced(destination)} sends events of connected accounts to the route of your own account`,
      'change its URL in Workbench to …/webhook/connect, and put its secret into STRIPE_CONNECT_WEBHOOK_SECRET',
    )
  }
  if (from === 'account' && route === 'connect') {
    return warn(
      `${describePlaced(destination)} sends events of your own account to the route of connected accounts`,
      'change its URL in Workbench to …/webhook, or create one with --connect in its place',
    )
  }
  if (from === 'unknown' && route === 'connect') {
    return warn(
      `whether ${describePlaced(destination)} sends events of connected accounts cannot be read: only API v1 lists it, and does not tell`,
      'look at "Events from" in Workbench: it must be connected accounts',
    )
  }
  return []
}

function checkConnectSecret(destination: PlacedDestination): Finding[] {
  const isConnect = destination.route === 'connect' || destination.origin === 'connect'
  if (!isConnect) return []
  return [
    {
      severity: 'fault',
      check: 'connect_secret',
      message: `${describePlaced(destination)} is a Connect destination, and STRIPE_CONNECT_WEBHOOK_SECRET is not set: its events are refused`,
      mend: `set STRIPE_CONNECT_WEBHOOK_SECRET in .env to the signing secret of ${destination.id}, which Workbench shows, and restart`,
      destinations: [destination.id],
    },
  ]
}
