import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, Server as NetServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { ReceiverError } from '../errors.ts'
import type { App } from './app.ts'
import type { Exchange } from './error-response.ts'

export interface HttpServer {
  /** Such as `http://127.0.0.1:4242`; a wildcard address is shown as the loopback one. */
  readonly url: string
  /** Such as `0.0.0.0:4242`. */
  readonly address: string
  /**
   * Stops listening, answers what still comes on open connections and closes those with it, and resolves once none is left, after
   * `timeoutMs` by force, or later, once `whenReplied` has resolved too. No connection is reset under a request.
   */
  close(timeoutMs: number, whenReplied?: () => Promise<void>): Promise<void>
}

/** Every bound on what a client may cost before it has proven anything. nodejs.org/api/http.html#class-httpserver */
const bounds = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  /** Longer than the usual 60 s of proxies, so that they close idle connections first, not we under a request. */
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16_384,
  // Node would refuse a request without a Host by itself; the proof does not need one.
  requireHostHeader: false,
}
const MAX_CONNECTIONS = 4_096
/** Those that come in one turn of the event loop, while places are made for them. */
const COMING = 96
/** Requests of one connection whose answers have not gone out. Stripe sends the next one once it has the answer, and so do proxies. */
const MAX_UNFINISHED = 16

/** Serves the app; port 0 takes a free one. Throws ReceiverError `address_unusable`. */
export async function listen(
  app: App,
  { host, port, variable }: { host: string; port: number; variable: string },
  maxConnections = MAX_CONNECTIONS,
): Promise<HttpServer> {
  const holding: Holding = {}
  const last = new WeakMap<Duplex, Exchange>()
  const unfinished = new WeakMap<Duplex, number>()
  const countUnfinished = (socket: Duplex, more: number): number => {
    const count = (unfinished.get(socket) ?? 0) + more
    unfinished.set(socket, count)
    return count
  }
  const handle: RequestListener = (req, res) => {
    const { socket } = req
    // What came in one piece with the request that was one too many.
    if (socket.destroyed) return
    if (countUnfinished(socket, 1) > MAX_UNFINISHED) return cutOff(socket)
    res.once('close', () => countUnfinished(socket, -1))
    last.set(socket, { req, res })
    room.onRequest(socket)
    if (holding.until === undefined) {
      app(req, res)
      return
    }
    res.setHeader('Connection', 'close')
    void holding.until.then(() => app(req, res))
  }
  const server = createServer(bounds, handle)
  // An expectation that nobody here knows changes nothing.
  server.on('checkExpectation', handle)
  server.on('clientError', (error, socket) => app.onClientError(error, socket, last.get(socket)))
  server.maxConnections = maxConnections + COMING
  const room = makeRoom(server, maxConnections, (socket) => isAnswering(last.get(socket)))
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, host, resolve)
  try {
    await promise
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error)
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    throw new ReceiverError(
      'address_unusable',
      `Cannot listen on ${host} port ${port}: ${cause}. ${adviceOn(code, variable)}`,
    )
  }
  return {
    ...describeAddress(server),
    close: (timeoutMs, whenReplied) => close(server, holding, timeoutMs, whenReplied),
  }
}

/**
 * A new connection takes the place of the one that has gone without a new request for longest, unless a whole one is being answered:
 * else a few thousand that say nothing, or never end their bodies, keep everyone out.
 */
function makeRoom(server: Server, maxConnections: number, isBusy: (socket: Duplex) => boolean) {
  const open = new Set<Duplex>()
  server.on('connection', (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    if (open.size <= maxConnections) return
    const leastActive = open.values().find((other) => other !== socket && !isBusy(other))
    leastActive?.destroy()
  })
  return {
    /** Is the last to go from now on. */
    onRequest(socket: Duplex): void {
      if (open.delete(socket)) open.add(socket)
    },
  }
}

/** An answer that was given, and that its client does not take, is none to wait for. */
function isAnswering(last: Exchange | undefined): boolean {
  return last?.req.complete === true && !last.res.writableEnded
}

/** Node goes on reading the piece that came, and lets go of what it read only at the event, which comes after all connections' pieces. */
function cutOff(socket: Duplex): void {
  socket.destroy()
  process.nextTick(() => socket.emit('close'))
}

/** `variable` is the one of the port. */
function adviceOn(code: unknown, variable: string): string {
  if (code === 'EADDRINUSE') return `Stop what uses it, or set ${variable}.`
  if (code === 'EACCES') return `This user may not take that port: set ${variable} to one from 1024 on.`
  return `Set ${variable.replace('PORT', 'HOST')} to an address of this machine: 0.0.0.0 is all of them, 127.0.0.1 is for this machine alone.`
}

function describeAddress(server: Server): Pick<HttpServer, 'url' | 'address'> {
  // A listening TCP server's address is of this form.
  const { address, port, family } = server.address() as AddressInfo
  const bound = family === 'IPv6' ? `[${address}]` : address
  const isWildcard = address === '0.0.0.0' || address === '::'
  return { url: `http://${isWildcard ? '127.0.0.1' : bound}:${port}`, address: `${bound}:${port}` }
}

/** Requests wait for it before they reach the app. */
interface Holding {
  until?: Promise<void>
}

/**
 * Closing a listener resets the connections that wait to be accepted, so none may wait at that moment: until then requests are
 * held, which keeps their senders from connecting anew.
 */
async function close(
  server: Server,
  holding: Holding,
  timeoutMs: number,
  whenReplied: () => Promise<void> = async () => undefined,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  const listenerClosed = Promise.withResolvers<void>()
  holding.until = listenerClosed.promise
  await untilNoneConnects(server, deadline)
  const closed = new Promise<void>((resolve) => server.once('close', resolve))
  // The close of http.Server would end fresh and idle connections too, whose next request may be on its way.
  NetServer.prototype.close.call(server)
  listenerClosed.resolve()
  const timer = new AbortController()
  const force = delay(Math.max(0, deadline - performance.now()), undefined, { signal: timer.signal })
    .then(whenReplied)
    // One more look at what has come, and a turn for what was replied.
    .then(() => nextTurn())
    .then(
      () => server.closeAllConnections(),
      () => undefined,
    )
  await closed
  timer.abort()
  await force
  // Ends what http.Server does beside listening.
  server.close()
}

/** Resolves right after a turn of the event loop that found no connection to accept: Node accepts one a turn. */
async function untilNoneConnects(server: Server, deadline: number): Promise<void> {
  let accepted = 0
  const count = () => {
    accepted += 1
  }
  server.on('connection', count)
  // From here on, every turn begins with a look for connections.
  await nextTurn()
  for (let before = -1; before < accepted && performance.now() < deadline; ) {
    before = accepted
    await nextTurn()
  }
  server.off('connection', count)
}
