import type { WebhookRoute } from '../event.ts'
import type { Destination, Origin } from './destinations.ts'

/** A webhook destination at one of this server's routes. */
export interface PlacedDestination extends Destination {
  /** Its URL as places are compared; see `placeOf`. */
  readonly place: string
  readonly route: WebhookRoute
  /** Whose events it sends; by its route where Stripe does not tell. */
  readonly origin: Exclude<Origin, 'unknown'>
}

/** One server as Stripe sees it: what is sent to its two routes. */
export interface Site {
  /** Place of the account route; the Connect route is below it. */
  readonly url: string
  readonly destinations: readonly PlacedDestination[]
}

/** A URL as places are compared: host in lower case, no slash at the end, no query, which the server does not look at. */
export function placeOf(url: URL): string {
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

/** Which route a place belongs to; undefined when its path ends in neither. */
export function routeOf(place: string): WebhookRoute | undefined {
  if (place.endsWith('/webhook/connect')) return 'connect'
  return place.endsWith('/webhook') ? 'account' : undefined
}

function siteOf(place: string): string {
  return routeOf(place) === 'connect' ? place.slice(0, -'/connect'.length) : place
}

/**
 * The site of the URL that was asked for, with or without destinations; without one, each site that has a destination whose path
 * ends in one of the two routes.
 */
export function findSites(destinations: readonly Destination[], asked?: URL): Site[] {
  const wanted = asked && siteOf(placeOf(asked))
  const sites = new Map<string, PlacedDestination[]>(wanted === undefined ? [] : [[wanted, []]])
  for (const destination of destinations) {
    const url = URL.parse(destination.url ?? '')
    if (url === null) continue
    const place = placeOf(url)
    const site = siteOf(place)
    const route = routeOf(place)
    if (wanted === undefined ? route === undefined : site !== wanted) continue
    const placed = sites.get(site) ?? []
    placed.push(putAt(place, route ?? 'account', destination))
    sites.set(site, placed)
  }
  return Array.from(sites, ([url, placed]) => ({ url, destinations: placed }))
}

function putAt(place: string, route: WebhookRoute, destination: Destination): PlacedDestination {
  return { ...destination, place, route, origin: destination.from === 'unknown' ? route : destination.from }
}

/** Whether one event can be sent to both. */
export function shareEvents(one: PlacedDestination, other: PlacedDestination): boolean {
  if (one.origin === other.origin) return true
  const origins = [one.origin, other.origin]
  return origins.includes('both') && !origins.includes('organization')
}
