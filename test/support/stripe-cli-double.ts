import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import Stripe from 'stripe'
import { type WebSocket, WebSocketServer } from 'ws'
import { sign } from './sign.ts'

const SUBPROTOCOL = 'stripecli-devproxy-v1'

/** What a listening CLI asked for. */
export interface CliSession {
  readonly id: string
  /** `webhooks` gets snapshot events, `v2_events` thin ones. */
  readonly features: readonly string[]
  /** Open once the CLI has connected. */
  socket?: WebSocket
}

/** What the CLI tells Stripe of a delivery that was answered. */
export interface CliResponse {
  readonly type: 'webhook_response'
  readonly notification_id: string
  readonly forward_url: string
  readonly status: number
  readonly body: string
}

interface CliAck {
  readonly type: 'event_ack'
  readonly event_id: string
}

/** Stands in for what `stripe listen` talks to: `POST /v1/stripecli/sessions` and the websocket that it names. */
export interface StripeCliDouble {
  /** For `--api-base`: `http://127.0.0.1:<port>`. */
  readonly url: string
  /** The API key that it takes. */
  readonly key: string
  /** Of every session, as Stripe has one for each device. */
  readonly secret: string
  /** In order of asking. */
  readonly sessions: readonly CliSession[]
  /** Ids of the events that the CLI told it got. */
  readonly acknowledged: readonly string[]
  /** In order of arrival; there is none of a delivery that failed without an answer. */
  readonly responses: readonly CliResponse[]
  /** Requests that Stripe would have refused. */
  readonly problems: readonly string[]
  /** Signs the body and sends it to each CLI that listens for its shape, as it is. Gives the event's id. */
  push(body: string): string
  close(): Promise<void>
}

/** Starts one on a free port. */
export async function startStripeCliDouble({ key = 'sk_test_double1234' } = {}): Promise<StripeCliDouble> {
  const secret = `whsec_${randomBytes(32).toString('hex')}`
  const sessions: CliSession[] = []
  const acknowledged: string[] = []
  const responses: CliResponse[] = []
  const problems: string[] = []

  const server = createServer((req, res) => void serve(req, res).catch(() => req.destroy()))
  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const form = new URLSearchParams(await text(req))
    const problem = findProblem(req, key)
    if (problem === undefined) {
      const session = { id: `cliws_${sessions.length + 1}`, features: form.getAll('websocket_features[]') }
      sessions.push(session)
      return send(res, 200, describeSession(session, { secret, host: req.headers.host ?? '' }))
    }
    problems.push(problem.message)
    send(res, problem.status, { error: { type: 'invalid_request_error', message: problem.message } })
  }

  const findSession = (req: IncomingMessage) =>
    sessions.find(({ id }) => id === req.headers['websocket-id'] && req.url?.startsWith(`/subscribe/${id}?`))
  const sockets = new WebSocketServer({
    server,
    handleProtocols: (offered) => offered.has(SUBPROTOCOL) && SUBPROTOCOL,
    verifyClient: ({ req }: { req: IncomingMessage }) => {
      const isKnown = findSession(req) !== undefined
      if (!isKnown) problems.push(`an unknown websocket was opened: ${req.url}`)
      return isKnown
    },
  })
  sockets.on('connection', (socket, req) => {
    const session = findSession(req)
    if (session !== undefined) session.socket = socket
    socket.on('message', (data) => {
      const message: CliResponse | CliAck = JSON.parse(String(data))
      if (message.type === 'webhook_response') responses.push(message)
      else acknowledged.push(message.event_id)
    })
  })

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A listening TCP server's address is of this form.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    key,
    secret,
    sessions,
    acknowledged,
    responses,
    problems,
    push(body) {
      const { id, message, feature } = wrap(body, secret)
      const listening = sessions.filter(({ features, socket }) => socket && features.includes(feature))
      if (listening.length === 0) throw new Error(`expected a CLI that listens for ${feature}, and there is none`)
      for (const { socket } of listening) socket?.send(JSON.stringify(message))
      return id
    },
    async close() {
      for (const socket of sockets.clients) socket.terminate()
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function findProblem(req: IncomingMessage, key: string): { status: number; message: string } | undefined {
  if (req.headers.authorization !== `Bearer ${key}`) return { status: 401, message: 'Invalid API Key provided' }
  if (req.method === 'POST' && req.url === '/v1/stripecli/sessions') return undefined
  return { status: 404, message: `Unrecognized request URL (${req.method}: ${req.url}).` }
}

function describeSession({ id, features }: CliSession, { secret, host }: { secret: string; host: string }) {
  return {
    secret,
    websocket_id: id,
    websocket_url: `ws://${host}/subscribe/${id}`,
    websocket_authorized_feature: features[0],
    reconnect_delay: 3_600,
    default_version: Stripe.API_VERSION,
    latest_version: Stripe.API_VERSION,
    device_token: 'we_double',
  }
}

function send(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** The event as the CLI gets it, with the headers that it passes on. */
function wrap(body: string, secret: string): { id: string; message: object; feature: string } {
  const { id, object }: { id: string; object: string } = JSON.parse(body)
  const http_headers = {
    'User-Agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
    Accept: '*/*; q=0.5, application/xml',
    'Cache-Control': 'no-cache',
    'Content-Type': 'application/json; charset=utf-8',
    'Stripe-Signature': sign(body, { secret }),
  }
  if (object === 'v2.core.event') {
    const message = { type: 'v2_event', http_headers, payload: body, destination_id: 'we_double' }
    return { id, message, feature: 'v2_events' }
  }
  // A version other than null is taken by a CLI with --latest only.
  const ids = { webhook_id: 'we_double', webhook_conversation_id: `wc_${id}` }
  const message = { type: 'webhook_event', endpoint: { api_version: null }, event_payload: body, http_headers, ...ids }
  return { id, message, feature: 'webhooks' }
}
