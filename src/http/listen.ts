import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Express } from 'express'
import { ReceiverError } from '../errors.ts'

export interface HttpServer {
  /** Such as `http://127.0.0.1:4242`; a wildcard address is shown as the loopback one. */
  readonly url: string
  /** Stops listening and resolves once no connection is left, after `timeoutMs` by force. */
  close(timeoutMs: number): Promise<void>
}

/** Every bound on what a client may cost before it has proven anything. nodejs.org/api/http.html#class-httpserver */
const bounds = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  /** Longer than the usual 60 s of proxies, so that they close idle connections first, not we under a request. */
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16_384,
}
const MAX_CONNECTIONS = 4_096

/** Serves the app; port 0 takes a free one. Throws ReceiverError `address_unusable`. */
export async function listen(
  app: Express,
  { host, port, variable }: { host: string; port: number; variable: string },
): Promise<HttpServer> {
  const server = createServer(bounds, app)
  server.maxConnections = MAX_CONNECTIONS
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, host, resolve)
  try {
    await promise
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error)
    throw new ReceiverError(
      'address_unusable',
      `Cannot listen on ${host} port ${port}: ${cause}. Stop what uses it, or set ${variable}.`,
    )
  }
  return { url: describeUrl(server), close: (timeoutMs) => close(server, timeoutMs) }
}

function describeUrl(server: Server): string {
  // A listening TCP server's address is of this form.
  const { address, port, family } = server.address() as AddressInfo
  const isWildcard = address === '0.0.0.0' || address === '::'
  const host = isWildcard ? '127.0.0.1' : family === 'IPv6' ? `[${address}]` : address
  return `http://${host}:${port}`
}

async function close(server: Server, timeoutMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  const timer = new AbortController()
  const force = delay(timeoutMs, undefined, { signal: timer.signal }).then(
    () => server.closeAllConnections(),
    () => undefined,
  )
  await closed
  timer.abort()
  await force
}
