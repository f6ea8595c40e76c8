import { setTimeout as delay } from 'node:timers/promises'
import { openRaw, type RawConnection, rawRequest } from './raw-http.ts'
import { sign } from './sign.ts'

/** What became of the deliveries of one sender. */
export interface Sent {
  /** Ids of the events that were answered 200. */
  readonly accepted: string[]
  readonly statuses: Set<number>
  /** How connections ended under a request that was sent: none should. */
  readonly broken: string[]
}

/** A whole signed request. */
export function signedRequest(
  body: string,
  { path = '/webhook', secret }: { path?: string; secret?: string } = {},
): Buffer {
  const signature = sign(body, secret === undefined ? {} : { secret })
  return rawRequest(body, { path, headers: { 'Stripe-Signature': signature, 'Content-Type': 'application/json' } })
}

/**
 * Sends one delivery after the other on a kept-alive connection, and on new ones when the server closes it, until the server
 * refuses to connect. `pauseMs` lies between an answer and the next delivery.
 */
export async function sendUntilGone(
  port: number,
  { nextEvent, pauseMs = 0 }: { nextEvent: () => { id: string; body: string }; pauseMs?: number },
): Promise<Sent> {
  const sent: Sent = { accepted: [], statuses: new Set(), broken: [] }
  for (;;) {
    const connection = await openRaw(port).catch(() => undefined)
    if (connection === undefined) return sent
    await sendUntilClosed(connection)
    connection.destroy()
  }

  async function sendUntilClosed(connection: RawConnection): Promise<void> {
    while (connection.ending() === undefined) {
      const { id, body } = nextEvent()
      connection.send(signedRequest(body))
      const answer = await connection.answer()
      if (answer === undefined) return void sent.broken.push(connection.ending() ?? 'no answer')
      sent.statuses.add(answer.status)
      if (answer.status === 200) sent.accepted.push(id)
      if (answer.isLast) return
      if (pauseMs > 0) await delay(pauseMs)
    }
  }
}
