import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import type { Behaviour } from './recording-handlers.ts'
import { sign, snapshotJson, thinJson } from './sign.ts'

export interface Delivery {
  readonly eventId: string
  readonly objectId: string
  readonly body: string
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
}

/** A delivery for the recording handlers; events of one object are in one lane. */
export function createDelivery(options: { readonly objectId?: string; readonly ask?: Behaviour } = {}): Delivery {
  lastId += 1
  const [eventId, objectId] = [`evt_load_${lastId}`, options.objectId ?? `pi_load_${lastId}`]
  const object = { id: objectId, object: 'payment_intent', metadata: options.ask ?? {} }
  return { eventId, objectId, body: snapshotJson({ id: eventId, data: { object } }) }
}

let lastId = 0

/** The thin event that tells of the same change as this snapshot event. */
export function createTwin({ eventId: snapshotEventId, objectId }: Delivery): Delivery {
  const eventId = `${snapshotEventId}_thin`
  const relatedObject = { id: objectId, type: 'payment_intent', url: `/v1/payment_intents/${objectId}` }
  const body = thinJson({ id: eventId, snapshot_event: snapshotEventId, related_object: relatedObject })
  return { eventId, objectId, body }
}

export interface PostOptions {
  readonly agent?: Agent
  /** How much later than here it is for the sender. */
  readonly aheadMs?: number
}

/** Posts it signed to /webhook. Resolves once the head of the answer is there, as a sender knows it then; rejects when none comes. */
export function post(url: string, { body }: Delivery, { agent, aheadMs = 0 }: PostOptions = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const signature = sign(body, { ageSeconds: -Math.round(aheadMs / 1_000) })
  const headers = { 'stripe-signature': signature, 'content-length': Buffer.byteLength(body) }
  const sent = request(`${url}/webhook`, { method: 'POST', headers, agent }, (response) => {
    resolve({ status: response.statusCode ?? 0, headers: response.headers })
    response.resume()
  })
  sent.on('error', reject)
  sent.end(body)
  return promise
}

export interface Load {
  readonly url: string
  readonly connections: number
  /** What to send next; undefined ends the load. */
  next(): Delivery | undefined
  onAnswer(delivery: Delivery, status: number): void
}

/** Sends over kept-alive connections, one delivery at a time on each, and resolves when there is nothing to send or the server is gone. */
export async function sendLoad({ url, connections, next, onAnswer }: Load): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  async function drive(): Promise<void> {
    for (let delivery = next(); delivery !== undefined; delivery = next()) {
      const answer = await post(url, delivery, { agent }).catch(() => undefined)
      if (answer === undefined) return
      onAnswer(delivery, answer.status)
    }
  }
  await Promise.all(Array.from({ length: connections }, drive))
  agent.destroy()
}
