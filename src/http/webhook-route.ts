import type { RequestHandler } from 'express'
import type { Answering } from '../answers/answering.ts'
import { ReceiverError } from '../errors.ts'
import { type Arrival, toArrived } from '../event/arrival.ts'
import type { NewEntry, WebhookRoute } from '../event.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'
import { type Intake, OVERLOADED } from './read-body.ts'
import { verifySignature } from './verify-signature.ts'

/** What both routes share. */
export interface WebhookRouteOptions {
  /** Resolves once the entry is durable. */
  readonly add: (entry: NewEntry) => ReturnType<Inbox['add']>
  readonly log: Log
  readonly arrival: Arrival
  readonly toleranceSeconds: number
  /** Called once a delivery is durable, before its answer; of a request that is answered, once its reply is known. */
  readonly onAccepted: (entry: NewEntry, result: 'stored' | 'parked' | 'duplicate' | 'answered') => void
  /** Undefined where no request is answered. */
  readonly answering?: Pick<Answering, 'reply'> | undefined
  readonly now?: () => Date
}

// A string, so that head and body go out in one write.
const RECEIVED = '{"received":true}'
const RECEIVED_HEADERS = { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': RECEIVED.length }

/**
 * Raw body → verified → stored → 200. A duplicate, an unknown type and an event of the other mode are answered 200 too: Stripe
 * takes anything else for a failure and delivers for days. A request that is answered has its reply instead, stored or not. Fails with
 * the ReceiverErrors of its parts.
 */
export function createWebhookRoute(
  options: WebhookRouteOptions,
  route: WebhookRoute,
  secrets: readonly string[],
  intake: Intake,
): RequestHandler {
  const { log, toleranceSeconds, now = () => new Date() } = options
  return async (req, res) => {
    // The body reader in front leaves a Buffer.
    const body = req.body as Buffer
    const text = body.toString('utf8')
    const header = req.get('stripe-signature')
    const secret = verifySignature({ text, header, secrets, toleranceSeconds, now: now() })
    const arrived = toArrived(text, body, options.arrival, readHops(req.get('stripe-receiver-hops')))
    const entry: NewEntry = { ...arrived, route, source: 'delivery', secret }
    if (entry.state === 'handled' && options.answering !== undefined) {
      const { headers, body: answer } = await options.answering.reply(entry, intake.startedAt(req))
      options.onAccepted(entry, 'answered')
      res.writeHead(200, headers).end(answer)
      return
    }
    if (intake.isFull()) throw new ReceiverError('overloaded', OVERLOADED)
    const added = await options.add(entry)
    const result = added === 'duplicate' ? 'duplicate' : entry.state === 'parked' ? 'parked' : 'stored'
    options.onAccepted(entry, result)
    if (log.isLevelEnabled('debug'))
      log.debug({ eventId: entry.eventId, type: entry.type, route, result }, 'delivery accepted')
    res.writeHead(200, RECEIVED_HEADERS).end(RECEIVED)
  }
}

/** How many receivers like this one it came through; none from Stripe. */
function readHops(header: string | undefined): number {
  return header !== undefined && /^\d{1,3}$/.test(header) ? Number(header) : 0
}
