import { isCompatible } from '../event/api-version.ts'
import { neededTypes } from './needed.ts'
import { type PlacedDestination, type Site, shareEvents } from './sites.ts'
import { findUnhandled, findUnsent, type HandledTypes, sends } from './types.ts'

/**
 * What brings a destination up to the handlers and the SDK: other types; another destination in its place, since a destination keeps
 * its API version; or to disable it, once that one is there.
 */
export type UpdatePlan =
  | {
      readonly kind: 'types' | 'replace'
      /** Needed, and not sent to its place. */
      readonly lacking: readonly string[]
      /** What it sends and nothing takes. */
      readonly needless: readonly string[]
    }
  | {
      readonly kind: 'disable'
      readonly replacedBy: PlacedDestination
      /** What would no longer be sent. */
      readonly lacking: readonly string[]
    }

/** Plans it for an enabled destination of the site. One that sends every type (`*`) keeps doing so. */
export function planUpdate(
  destination: PlacedDestination,
  site: Site,
  handled: HandledTypes & { readonly apiVersion: string },
): UpdatePlan {
  const { place, shape, types, origin } = destination
  const isAll = types.includes('*')
  const needless = isAll || handled.hasFallback ? [] : findUnhandled(destination, handled)
  const fits = ({ apiVersion }: PlacedDestination) =>
    shape === 'thin' || (apiVersion !== null && isCompatible(apiVersion, handled.apiVersion))
  const isLike = (other: PlacedDestination) =>
    other !== destination && other.isEnabled && other.place === place && other.shape === shape
  const replacedBy = site.destinations.find(
    (other) => !fits(destination) && isLike(other) && shareEvents(other, destination) && fits(other),
  )
  if (replacedBy !== undefined) {
    const from = origin === 'connect' ? 'connect' : 'account'
    const sent = isAll ? neededTypes(handled.handledTypes, { shape, from }).types : types
    const lacking = sent.filter((type) => !needless.includes(type) && !sends(replacedBy, type))
    return { kind: 'disable', replacedBy, lacking }
  }
  const unsent = isAll ? [] : findUnsent(site, handled)
  const lacking = unsent.flatMap((each) => (each.place === place && each.shape === shape ? each.types : []))
  return { kind: fits(destination) ? 'types' : 'replace', lacking, needless }
}
