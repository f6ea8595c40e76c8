import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Stripe from 'stripe'

export interface VerifyingServer {
  readonly port: string
  /** Every delivery in order of arrival, refused ones too. */
  readonly received: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: Buffer }[]
  close(): void
}

/** A server that proves each delivery with the SDK, by its path's secret or else `otherSecret`: 200, or 400 with a code. */
export async function startVerifyingServer(
  secrets: Readonly<Record<string, string>>,
  otherSecret: string,
): Promise<VerifyingServer> {
  const received: VerifyingServer['received'] = []
  const server = createServer(async (req, res) => {
    const { url: path = '', headers } = req
    const body = Buffer.concat(await req.toArray())
    received.push({ path, headers, body })
    try {
      Stripe.webhooks.signature?.verifyHeader(
        body,
        headers['stripe-signature'] ?? '',
        secrets[path] ?? otherSecret,
        300,
      )
      res.end('{"received":true}')
    } catch {
      res.writeHead(400).end('{"error":{"code":"signature_mismatch","message":"no"}}')
    }
  })
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { port: await listen(server), received, close }
}

/** A port that nothing listens on. */
export async function findClosedPort(): Promise<string> {
  const server = createServer()
  const port = await listen(server)
  server.close()
  await once(server, 'close')
  return port
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // The cast holds: the server listens on TCP.
  return String((server.address() as AddressInfo).port)
}
