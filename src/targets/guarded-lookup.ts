import { lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { isRefusedAddress } from './refused-address.ts'

/** Nothing is sent to where a name or an address leads. */
export class RefusedAddress extends Error {
  override readonly name = 'RefusedAddress'
}

const refusalOf = (host: string) =>
  new RefusedAddress(
    `nothing is sent to link-local addresses, where clouds keep their metadata, and ${host} leads to one`,
  )

/** For a socket: looks a name up each time, and fails where any of its addresses is refused. */
export const guardedLookup: LookupFunction = (hostname, options, done) =>
  lookUpGuarded(systemLookup, hostname, options, done)

/** The same by another `lookup` than the system's. */
export function lookUpGuarded(
  look: typeof systemLookup,
  ...[hostname, options, done]: Parameters<LookupFunction>
): void {
  look(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return done(error, [])
    if (addresses.some(({ address }) => isRefusedAddress(address))) return done(refusalOf(hostname), [])
    if (options.all) return done(null, addresses)
    const [first] = addresses
    done(null, first?.address ?? '', first?.family)
  })
}

/** Throws RefusedAddress for a host of a URL that is itself such an address: no socket looks it up. */
export function assertNotRefused(hostname: string): void {
  const address = hostname.replace(/^\[|\]$/g, '')
  if (isIP(address) !== 0 && isRefusedAddress(address)) throw refusalOf(hostname)
}
