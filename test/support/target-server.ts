import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** What a target got. */
export interface Received {
  readonly eventId: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface TargetServer {
  readonly url: URL
  readonly received: readonly Received[]
  /** Requests that had begun and not ended, at most at a time. */
  most(): number
  idsOf(): string[]
  /** Answers otherwise from now on. */
  answer(how: Answer): void
}

export type Answer = (response: ServerResponse, received: Received) => void

/** Answers with the status, and what else is given. */
export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}, body = ''): Answer =>
  (response) =>
    void response.writeHead(code, headers).end(body)

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
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo
  return {
    url: new URL(`http://127.0.0.1:${port}/stripe?from=receiver`),
    received,
    most: () => most,
    idsOf: () => received.map(({ eventId }) => eventId),
    answer(next) {
      answer = next
    },
  }
}
