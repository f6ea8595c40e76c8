import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { ReceiverError, type ReceiverErrorCode } from '../errors.ts'
import type { WebhookRoute } from '../event.ts'
import type { Log } from '../log.ts'
import { createRefusalLog } from './refusal-log.ts'

interface Answer {
  readonly status: number
  /** The one sentence that callers get. */
  readonly message: string
}

const signatureAnswer = {
  status: 400,
  message: 'The Stripe-Signature header does not prove that Stripe sent this now.',
}
const internalAnswer = { status: 500, message: 'This server has a fault; deliver it again later.' }
const unavailableAnswer = { status: 503, message: 'The delivery cannot be stored now; deliver it again later.' }

const answers: { readonly [code in ReceiverErrorCode]?: Answer } = {
  signature_missing: signatureAnswer,
  signature_malformed: signatureAnswer,
  signature_mismatch: signatureAnswer,
  timestamp_too_old: signatureAnswer,
  timestamp_in_future: signatureAnswer,
  secret_not_configured: { status: 400, message: 'This route has no signing secret configured.' },
  bad_payload: { status: 400, message: 'The body is not a Stripe event.' },
  body_incomplete: { status: 400, message: 'The body ended before its announced length.' },
  body_too_large: { status: 413, message: 'The body is larger than this server takes.' },
  encoding_unsupported: { status: 415, message: 'The body must come as it was signed, without a Content-Encoding.' },
  method_not_allowed: { status: 405, message: 'Deliveries are sent with POST.' },
  not_found: { status: 404, message: 'There is nothing here.' },
  request_malformed: { status: 400, message: 'This is not HTTP as this server reads it.' },
  request_timeout: { status: 408, message: 'The request took too long to come.' },
  headers_too_large: { status: 431, message: 'The headers are larger than this server takes.' },
  store_unavailable: unavailableAnswer,
  overloaded: unavailableAnswer,
}

/** Told of each request to a route, or of none that can be told, that was not answered 200: its ReceiverErrorCode or `internal`. */
export type OnRefused = (route: WebhookRoute | 'none', status: number, reason: string) => void

export interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

export interface Refusals {
  /** Error → answer by its code, and a log line with the cause. What has no code is a bug, and a 500. */
  respond(error: unknown, req: IncomingMessage, res: ServerResponse): void
  /** What Node's parser or its time limits refuse, told by its `clientError`; `last` came last on the connection. */
  onClientError(error: NodeJS.ErrnoException, socket: Duplex, last?: Exchange): void
}

const RETRY_AFTER_SECONDS = 5

const deliveryRoutes = new Map<string, WebhookRoute>([
  ['/webhook', 'account'],
  ['/webhook/connect', 'connect'],
])

export function createRefusals({ log, onRefused }: { readonly log: Log; readonly onRefused?: OnRefused }): Refusals {
  const logRefusal = createRefusalLog(log)

  /** Counts and logs; gives what is to be said outside. */
  function refuse(error: unknown, url: string | undefined): Refused {
    const expected = toReceiverError(error)
    const answer = expected && answers[expected.code]
    const code = (answer && expected?.code) ?? 'internal'
    const { status, message } = answer ?? internalAnswer
    const path = url === undefined ? undefined : pathOf(url)
    const route = path === undefined ? 'none' : routeOf(path)
    if (route !== undefined) onRefused?.(route, status, code)
    logRefusal({ code, status, route, path, error: answer === undefined ? error : expected })
    const body = JSON.stringify({ error: { code, message } })
    const headers: Record<string, string | number> = { 'Content-Type': JSON_TYPE, 'Content-Length': body.length }
    if (status === 503) headers['Retry-After'] = RETRY_AFTER_SECONDS
    return { status, headers, body }
  }

  return {
    respond(error, req, res) {
      const { status, headers, body } = refuse(error, req.url ?? '')
      // The rest of its body, which would wait in memory while answers before it do.
      req.resume()
      res.writeHead(status, headers).end(body)
    },
    onClientError(error, socket, last) {
      const refusal = toRefusal(error)
      if (refusal === undefined || !socket.writable) return void socket.destroy()
      // What it sends from now on is of no use.
      socket.removeAllListeners('data').resume()
      const isReading = last?.req.complete === false && !last.res.headersSent
      const { status, headers, body } = refuse(refusal, isReading ? last.req.url : undefined)
      headers.Connection = 'close'
      const end = () => socket.destroy()
      if (isReading) last.res.writeHead(status, headers).end(body, end)
      // It failed after a request that is still being answered: that answer is the last one.
      else if (last?.res.writableFinished === false) last.res.once('close', end)
      else socket.end(`${describeHead(status, headers)}\r\n\r\n${body}`, end)
    },
  }
}

interface Refused {
  readonly status: number
  readonly headers: Record<string, string | number>
  readonly body: string
}

const JSON_TYPE = 'application/json; charset=utf-8'

function describeHead(status: number, headers: Refused['headers']): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines].join('\r\n')
}

/** A request may name the whole URL. */
function pathOf(url: string): string {
  return (url.startsWith('/') ? undefined : URL.parse(url)?.pathname) ?? url.split('?', 1)[0] ?? ''
}

/** Express takes a slash at the end and capitals for the same path. */
function routeOf(path: string): WebhookRoute | undefined {
  return deliveryRoutes.get(path.toLowerCase().replace(/\/$/, ''))
}

function toReceiverError(error: unknown): ReceiverError | undefined {
  if (error instanceof ReceiverError) return error
  // Express's router throws this for a path that it can't decode.
  return error instanceof URIError ? new ReceiverError('not_found', 'The path cannot be decoded.') : undefined
}

/** Undefined for a connection that broke. nodejs.org/api/http.html#event-clienterror */
function toRefusal({ code = '', message }: NodeJS.ErrnoException): ReceiverError | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new ReceiverError('request_timeout', 'Its head or body did not come within the time for it.')
  if (code === 'HPE_HEADER_OVERFLOW')
    return new ReceiverError('headers_too_large', 'Its headers have more than 16 KiB.')
  return code.startsWith('HPE_') ? new ReceiverError('request_malformed', message) : undefined
}
