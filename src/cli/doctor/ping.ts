import { setTimeout as delay } from 'node:timers/promises'
import Stripe from 'stripe'
import { pingDestination } from '../../destinations/change.ts'
import { type Destination, PING_TYPE } from '../../destinations/destinations.ts'
import { describeFailure } from '../../destinations/failure.ts'
import type { Finding } from '../../destinations/finding.ts'
import { describePlaced } from '../../destinations/places.ts'
import { findSites, type PlacedDestination } from '../../destinations/sites.ts'
import { ReceiverError } from '../../errors.ts'
import type { Entry } from '../../event.ts'
import type { Inbox } from '../../inbox/inbox.ts'
import { withInbox } from '../inbox.ts'
import { createProgress } from '../terminal/progress.ts'
import type { DoctorOptions } from './options.ts'

const POLL_MS = 200
/** As many pings as are looked through, newest first. */
const MAX_PINGS = 200

/** Has Stripe ping every enabled destination that it can, and waits for the pings in the inbox. */
export async function pingDestinations(
  client: Stripe,
  destinations: readonly Destination[],
  { url, timeout }: Pick<DoctorOptions, 'url' | 'timeout'>,
): Promise<Finding[]> {
  const enabled = findSites(destinations, url).flatMap((site) => site.destinations.filter(({ isEnabled }) => isEnabled))
  const able = enabled.filter(({ listedBy }) => listedBy !== 'v1')
  const unable = enabled.filter((destination) => !able.includes(destination)).map(describeUnable)
  if (able.length === 0) return unable
  try {
    return [...unable, ...(await withInbox((inbox) => pingThrough(inbox, client, able, timeout * 1_000)))]
  } catch (error) {
    if (!(error instanceof ReceiverError)) throw error
    const mend = "run the doctor where the server runs, with the server's DATABASE_URL, once it was started"
    return [...unable, { severity: 'fault', check: 'ping', message: `not pinged. ${error.message}`, mend }]
  }
}

function describeUnable(destination: PlacedDestination): Finding {
  return {
    severity: 'warning',
    check: 'ping',
    message: `${describePlaced(destination)} cannot be pinged: only API v1 lists it, and v2 pings`,
    mend: 'send it an event instead: `stripe trigger payment_intent.succeeded`, in test mode',
    destinations: [destination.id],
  }
}

interface Ping {
  readonly destination: PlacedDestination
  readonly eventId: string
}

async function pingThrough(
  inbox: Inbox,
  client: Stripe,
  destinations: readonly PlacedDestination[],
  timeoutMs: number,
): Promise<Finding[]> {
  const earlier = new Set((await listPings(inbox)).map(({ eventId }) => eventId))
  const findings: Finding[] = []
  let waiting: Ping[] = []
  for (const destination of destinations) {
    try {
      waiting.push({ destination, eventId: await pingDestination(client, destination.id) })
    } catch (error) {
      if (!(error instanceof Stripe.errors.StripeError)) throw error
      const failure = describeFailure(error, `ping ${destination.id}`, 'Write')
      findings.push({ ...failure, check: 'ping', destinations: [destination.id] })
    }
  }
  const startedAt = performance.now()
  const progress = createProgress(process.stderr, () => `waiting for ${waiting.length} of ${destinations.length} pings`)
  process.stderr.write(waiting.length > 0 ? `pinged ${waiting.length}; waiting up to ${timeoutMs / 1_000} s\n` : '')
  for (let tookMs = 0; waiting.length > 0 && tookMs < timeoutMs; tookMs = performance.now() - startedAt) {
    progress.update(waiting.length)
    const arrived = new Map<Ping, Entry>()
    for (const ping of waiting) {
      const entry = await findPing(inbox, ping, earlier)
      if (entry !== undefined) arrived.set(ping, entry)
    }
    findings.push(...Array.from(arrived, ([ping, entry]) => describeArrived(ping, entry, tookMs)))
    waiting = waiting.filter((ping) => !arrived.has(ping))
    if (waiting.length > 0) await delay(POLL_MS)
  }
  progress.end()
  return [...findings, ...waiting.map((ping) => describeMissed(ping, timeoutMs))]
}

/** By the id that Stripe named, else a ping of the destination that was not there before. */
async function findPing(inbox: Inbox, { eventId, destination }: Ping, earlier: ReadonlySet<string>) {
  const detail = await inbox.get(eventId)
  if (detail !== undefined) return detail.entry
  const pings = await listPings(inbox)
  return pings.find((entry) => entry.objectId === destination.id && !earlier.has(entry.eventId))
}

function listPings(inbox: Inbox): Promise<Entry[]> {
  return inbox.list({ type: PING_TYPE }, { limit: MAX_PINGS })
}

function describeArrived({ destination }: Ping, { eventId, state, reason }: Entry, tookMs: number): Finding {
  const parked = state === 'parked' ? `, and is parked: ${reason}` : ''
  return {
    severity: 'ok',
    check: 'ping',
    message: `the ping of ${describePlaced(destination)} came within ${Math.ceil(tookMs / 1_000) || 1} s (${eventId})${parked}`,
    destinations: [destination.id],
  }
}

function describeMissed({ destination, eventId }: Ping, timeoutMs: number): Finding {
  const { id, route } = destination
  const secret = route === 'connect' ? 'STRIPE_CONNECT_WEBHOOK_SECRET' : 'STRIPE_WEBHOOK_SECRET'
  return {
    severity: 'fault',
    check: 'ping',
    message: `the ping of ${describePlaced(destination)} did not come within ${timeoutMs / 1_000} s (${eventId})`,
    mend: `look at its delivery in Workbench: no answer is the network or the server, 400 a secret that is not in ${secret} (${id} has its own), 200 another inbox than DATABASE_URL's`,
    destinations: [id],
  }
}
