import type { RequestHandler } from 'express'
import { parseEnvelope } from '../event/envelope.ts'
import type { ChooseLane } from '../event/lane.ts'
import { judgeMode, type Mode } from '../event/mode.ts'
import type { NewEntry, WebhookRoute } from '../event.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'
import { verifySignature } from './verify-signature.ts'

/** What both routes share. */
export interface WebhookRouteOptions {
  /** Resolves once the entry is durable. */
  readonly add: (entry: NewEntry) => ReturnType<Inbox['add']>
  readonly log: Log
  readonly mode: Mode
  readonly toleranceSeconds: number
  /** Called once a delivery is durable, before its answer. */
  readonly onAccepted: (route: WebhookRoute, result: 'stored' | 'parked' | 'duplicate', createdAt: Date | null) => void
  /** In place of the default lane. */
  readonly chooseLane?: ChooseLane | undefined
  readonly now?: () => Date
}

// A string, so that head and body go out in one write.
const RECEIVED = '{"received":true}'
const RECEIVED_HEADERS = { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': RECEIVED.length }

/**
 * Raw body → verified → stored → 200. A duplicate, an unknown type and an event of the other mode are answered 200 too: Stripe
 * takes anything else for a failure and delivers for days. Fails with the ReceiverErrors of its parts.
 */
export function createWebhookRoute(
  options: WebhookRouteOptions,
  route: WebhookRoute,
  secrets: readonly string[],
): RequestHandler {
  const { log, toleranceSeconds, chooseLane, now = () => new Date() } = options
  return async (req, res) => {
    // The body reader in front leaves a Buffer.
    const body = req.body as Buffer
    const text = body.toString('utf8')
    const header = req.get('stripe-signature')
    const secret = verifySignature({ text, header, secrets, toleranceSeconds, now: now() })
    const envelope = parseEnvelope(text)
    const judged = judgeMode(envelope, options.mode)
    const lane = chooseLane?.(envelope, body) ?? envelope.lane
    const added = await options.add({ ...envelope, lane, route, source: 'delivery', secret, body, ...judged })
    const result = added === 'duplicate' ? 'duplicate' : judged.state === 'parked' ? 'parked' : 'stored'
    options.onAccepted(route, result, envelope.createdAt)
    if (log.isLevelEnabled('debug'))
      log.debug({ eventId: envelope.eventId, type: envelope.type, route, result }, 'delivery accepted')
    res.writeHead(200, RECEIVED_HEADERS).end(RECEIVED)
  }
}
