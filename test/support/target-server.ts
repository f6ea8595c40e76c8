import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import Stripe from 'stripe'
import { onTestFinished } from 'vitest'
import { findLastingPort } from './lasting-port.ts'
import { TARGET_SECRET } from './loaded-target.ts'

/** What a target got. */
export interface Received {
  readonly eventId: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface TargetServer {
  readonly url: URL
  readonly received: readonly Received[]
  /** Requests that have begun and not ended. */
  open(): number
  /** The same, at most at a time. */
  most(): number
  idsOf(): string[]
  /** Answers otherwise from now on. */
  answer(how: Answer): void
  /** Refuses connections until `comeBack`, which finds its port still free. */
  goAway(): Promise<void>
  comeBack(): Promise<void>
}

export type Answer = (response: ServerResponse, received: Received) => void

/** Answers with the status, and what else is given. */
export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}, body = ''): Answer =>
  (response) =>
    void response.writeHead(code, headers).end(body)

/** As a service answers that verifies with Stripe's SDK: 400 when that takes the body for another's. */
export const verifying: Answer = (response, { headers, body }) => {
  try {
    Stripe.webhooks.constructEvent(body, String(headers['stripe-signature']), TARGET_SECRET)
    response.writeHead(200).end()
  } catch (error) {
    response.writeHead(400).end(String(error))
  }
}

/** A service that events are forwarded to, on a port of its own; it goes when the test ends. */
export async function startTargetServer(how: Answer = status(200)): Promise<TargetServer> {
  const received: Received[] = []
  let answer = how
  let open = 0
  let most = 0
  const server = createServer(async (request, response) => {
    open += 1
    most = Math.max(most, open)
    response.on('close', () => {
      open -= 1
    })
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { headers } = request
    const got = { eventId: String(headers['stripe-receiver-event']), headers, body: Buffer.concat(chunks) }
    received.push(got)
    answer(response, got)
  })
  const port = await findLastingPort()
  await once(server.listen(port, '127.0.0.1'), 'listening')
  async function goAway(): Promise<void> {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  onTestFinished(goAway)
  return {
    url: new URL(`http://127.0.0.1:${port}/stripe?from=receiver`),
    received,
    open: () => open,
    most: () => most,
    idsOf: () => received.map(({ eventId }) => eventId),
    answer(next) {
      answer = next
    },
    goAway,
    async comeBack() {
      await once(server.listen(port, '127.0.0.1'), 'listening')
    },
  }
}
