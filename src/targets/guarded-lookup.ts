import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns'
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

type Options = LookupOptions & { readonly all: true }
type Done = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void
/** As the system's `lookup`, of which this needs no more. */
export type Look = (hostname: string, options: Options, done: Done) => void

/** One look-up, and who waits for it. */
interface Asked {
  readonly hostname: string
  readonly options: Options
  readonly waiters: Done[]
}

/**
 * The system looks names up in the 4 threads that this process has for it, for files and for much else
 * (nodejs.org/api/dns.html#implementation-considerations), and no time limit ends that: names that hang must not fill them.
 */
const MOST_AT_ONCE = 3
const MOST_OF_SLOW = 2
const SLOW_MS = 1_000

/**
 * For sockets: looks a name up each time, once for all who ask meanwhile, and fails where any of its addresses is refused. A few names at
 * once, fewer of those that were slow the last time, found or not; the others wait for their turn. Whoever asks has a time limit of its own.
 */
export function createGuardedLookup(look: Look): LookupFunction {
  const waiting = new Map<string, Asked>()
  const underWay = new Map<string, Asked>()
  const lastMs = new Map<string, number>()
  const slowness = (hostname: string) => lastMs.get(hostname) ?? 0
  const mostBeside = (hostname: string) => (slowness(hostname) < SLOW_MS ? MOST_AT_ONCE : MOST_OF_SLOW)

  function beginWhatMay(): void {
    // The quickest first: what hangs each time comes last.
    const inOrder = [...waiting].sort(([, one], [, other]) => slowness(one.hostname) - slowness(other.hostname))
    for (const [key, asked] of inOrder) {
      if (!isLocal(asked.hostname) && underWay.size >= mostBeside(asked.hostname)) continue
      waiting.delete(key)
      underWay.set(key, asked)
      begin(key, asked)
    }
  }

  function begin(key: string, { hostname, options, waiters }: Asked): void {
    const startedAt = performance.now()
    look(hostname, options, (error, addresses) => {
      underWay.delete(key)
      lastMs.set(hostname, performance.now() - startedAt)
      beginWhatMay()
      for (const done of waiters) done(error, addresses)
    })
  }

  return (hostname, given, done) => {
    const options = { ...given, all: true } as const
    const key = JSON.stringify([hostname, options])
    const asked: Asked = underWay.get(key) ?? waiting.get(key) ?? { hostname, options, waiters: [] }
    asked.waiters.push((error, addresses) => {
      if (error !== null) return done(error, [])
      if (addresses.some(({ address }) => isRefusedAddress(address))) return done(refusalOf(hostname), [])
      if (given.all) return done(null, addresses)
      const [first] = addresses
      done(null, first?.address ?? '', first?.family)
    })
    if (underWay.has(key)) return
    waiting.set(key, asked)
    beginWhatMay()
  }
}

/** No network is asked for it. */
const isLocal = (hostname: string) => /(^|\.)localhost$/i.test(hostname)

/** By the system's `lookup`; one for the whole process, as its threads are. */
export const guardedLookup = createGuardedLookup(systemLookup)

/** Throws RefusedAddress for a host of a URL that is itself such an address: no socket looks it up. */
export function assertNotRefused(hostname: string): void {
  const address = hostname.replace(/^\[|\]$/g, '')
  if (isIP(address) !== 0 && isRefusedAddress(address)) throw refusalOf(hostname)
}
