import type { Destination } from './destinations.ts'
import { countTypes, type Finding } from './finding.ts'
import { checkPlaces, describePlaced } from './places.ts'
import { findSites, placeOf, routeOf, type Site } from './sites.ts'
import { checkTwins } from './twins.ts'
import { checkHandled, checkSent, type HandledTypes } from './types.ts'

/** This side, to compare Stripe's destinations with. */
export interface Expectations extends HandledTypes {
  /** The URL that Stripe should send to; left out, every destination at one of the two routes is looked at. */
  readonly url?: URL | undefined
  /** Whether the destinations are all that there are; left out, they are. Of others nothing is said to be missing. */
  readonly isComplete?: boolean
  /** The SDK's. */
  readonly apiVersion: string
  readonly hasConnectSecret: boolean
  /** The setting TWINS. */
  readonly twins: 'one' | 'both'
}

/** Compares the two sides. Every destination that is looked at is in a finding, if only in one that says that all is well. */
export function compareDestinations(destinations: readonly Destination[], expected: Expectations): Finding[] {
  const { isComplete = true } = expected
  const sites = findSites(destinations, expected.url)
  return [
    ...(isComplete ? checkPresence(sites, expected.url) : []),
    ...sites.flatMap((site) => compareSite(site, { ...expected, isComplete })),
    ...(isComplete && expected.hasConnectSecret ? checkConnectUsed(sites) : []),
    ...(expected.url === undefined ? listOthers(destinations, sites) : []),
  ]
}

function compareSite(site: Site, expected: Expectations & { readonly isComplete: boolean }): Finding[] {
  const findings = [
    ...checkPlaces(site, expected),
    ...(expected.isComplete ? checkSent(site, expected) : []),
    ...checkHandled(site, expected),
    ...checkTwins(site, expected.twins),
  ]
  const troubled = new Set(
    findings.flatMap(({ severity, destinations = [] }) => (severity === 'ok' ? [] : destinations)),
  )
  const well = site.destinations
    .filter(({ id }) => !troubled.has(id))
    .map((destination): Finding => {
      const { id, shape, apiVersion, types } = destination
      const version = apiVersion === null ? '' : ` as API version ${apiVersion}`
      const count = types.includes('*') ? 'every type' : countTypes(types)
      const message = `${describePlaced(destination)} sends ${count} in ${shape} events${version}`
      return { severity: 'ok', check: 'destination', message, destinations: [id] }
    })
  return [...well, ...findings]
}

function checkPresence(sites: readonly Site[], asked: URL | undefined): Finding[] {
  const place = asked && placeOf(asked)
  const found = sites.flatMap((site) => site.destinations)
  if (found.some((destination) => place === undefined || destination.place === place)) return []
  const url = place ?? 'https://<your host>/webhook'
  const where = place ?? 'a URL that ends in /webhook or /webhook/connect'
  return [
    {
      severity: 'fault',
      check: 'destination_present',
      message: `there is no destination at ${where}: Stripe sends nothing there`,
      mend: `create it: npm run destination -- create --url ${url}${routeOf(url) === 'connect' ? ' --connect' : ''}`,
    },
  ]
}

function checkConnectUsed(sites: readonly Site[]): Finding[] {
  const found = sites.flatMap((site) => site.destinations)
  if (found.length === 0 || found.some(({ route, origin }) => route === 'connect' || origin !== 'account')) return []
  return [
    {
      severity: 'warning',
      check: 'connect_secret',
      message: 'STRIPE_CONNECT_WEBHOOK_SECRET is set, and there is no Connect destination',
      mend: `create it, if you have connected accounts: npm run destination -- create --url ${sites[0]?.url}/connect --connect`,
    },
  ]
}

/** Webhooks of the account that no route of a server like this takes: perhaps a mistyped path. */
function listOthers(destinations: readonly Destination[], sites: readonly Site[]): Finding[] {
  const looked = new Set(sites.flatMap((site) => site.destinations.map(({ id }) => id)))
  const others = destinations.filter(({ id, url }) => url !== null && !looked.has(id))
  if (others.length === 0) return []
  const named = others.map(({ id, url }) => `${id} at ${url}`).join(', ')
  return [
    {
      severity: 'ok',
      check: 'destination',
      message: `not looked at, since their paths end in neither route (--url does): ${named}`,
      destinations: others.map(({ id }) => id),
    },
  ]
}
