import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import Stripe from 'stripe'

/** A request that came, also one that was refused. */
export interface ApiRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The body's fields, when it is a form (v1); empty otherwise. */
  readonly form: URLSearchParams
  /** The client's end of the connection: requests of one port shared one. */
  readonly port: number | undefined
  /** Whether its connection ended before the whole answer was out. */
  readonly isAborted: () => boolean
}

/** What to answer; 200 and `{}` unless told otherwise. A body that is no string is sent as JSON. */
export interface ApiAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** `hang` never answers, `stall` sends the head and the first byte of a body, `reset` closes the connection. */
export type ApiBehaviour = ApiAnswer | 'hang' | 'stall' | 'reset'

export type ApiRoute = (request: ApiRequest) => ApiBehaviour | Promise<ApiBehaviour>

/** Stands in for Stripe's API, as a real HTTP server on the loopback. */
export interface StripeApiDouble {
  /** For STRIPE_API_BASE: `http://127.0.0.1:<port>`. */
  readonly url: string
  /** The one that it takes. */
  readonly key: string
  /** In order of arrival. */
  readonly requests: ApiRequest[]
  /**
   * What Stripe would have refused: a wrong key, another Stripe-Version than the SDK's, an account beside a context; and what no
   * route takes.
   */
  readonly problems: string[]
  /** A later route goes before an earlier one. A string matches the whole path. */
  route(method: string, path: string | RegExp, handler: ApiRoute): void
  close(): Promise<void>
}

/** Starts one on a free port. What no route takes is answered 404 as Stripe does. */
export async function startStripeApiDouble({ key = 'sk_test_double1234' } = {}): Promise<StripeApiDouble> {
  const requests: ApiRequest[] = []
  const problems: string[] = []
  const routes: { readonly isFor: (request: ApiRequest) => boolean; readonly handler: ApiRoute }[] = []
  const server = createServer((req, res) => void serve(req, res))

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const request = await readRequest(req, res)
    requests.push(request)
    const route = routes.findLast(({ isFor }) => isFor(request))
    const problem = findProblem(request, key) ?? (route === undefined ? unknownPath(request) : undefined)
    if (problem !== undefined) problems.push(`${request.method} ${request.path}: ${problem.message}`)
    const behaviour = problem?.answer ?? (await route?.handler(request)) ?? {}
    if (behaviour === 'hang') return
    if (behaviour === 'reset') return void req.socket.destroy()
    send(res, behaviour)
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A listening TCP server's address is of this form.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    key,
    requests,
    problems,
    route(method, path, handler) {
      const isPath = (came: string) => (typeof path === 'string' ? came === path : path.test(came))
      routes.push({ isFor: (request) => request.method === method && isPath(request.path), handler })
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function readRequest(req: IncomingMessage, res: ServerResponse): Promise<ApiRequest> {
  const url = new URL(req.url ?? '/', 'http://double')
  const body = await text(req).catch(() => '')
  const isForm = req.headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false
  let isAborted = false
  res.once('close', () => {
    isAborted = !res.writableFinished
  })
  return {
    method: req.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers: req.headers,
    body,
    form: new URLSearchParams(isForm ? body : ''),
    port: req.socket.remotePort,
    isAborted: () => isAborted,
  }
}

interface Problem {
  readonly message: string
  readonly answer: ApiAnswer
}

function findProblem({ headers }: ApiRequest, key: string): Problem | undefined {
  if (headers.authorization !== `Bearer ${key}`) {
    const message = headers.authorization === undefined ? 'no key came' : 'a wrong key came'
    return { message, answer: apiError(401, { message: 'Invalid API Key provided: sk_test_****' }) }
  }
  if (headers['stripe-version'] !== Stripe.API_VERSION) {
    const message = `expected Stripe-Version ${Stripe.API_VERSION}, and ${headers['stripe-version'] ?? 'none'} came`
    return { message, answer: apiError(400, { message }) }
  }
  if (headers['stripe-account'] !== undefined && headers['stripe-context'] !== undefined) {
    const message = 'Stripe-Account and Stripe-Context came together'
    return { message, answer: apiError(400, { message }) }
  }
  return undefined
}

function unknownPath({ method, path }: ApiRequest): Problem {
  const message = `Unrecognized request URL (${method}: ${path}).`
  return { message: 'no route takes it', answer: apiError(404, { message }) }
}

function send(res: ServerResponse, behaviour: ApiAnswer | 'stall'): void {
  const { status = 200, headers = {}, body = {} } = behaviour === 'stall' ? {} : behaviour
  const head = { 'content-type': 'application/json', 'request-id': 'req_double', ...headers }
  if (behaviour === 'stall') return void res.writeHead(status, { ...head, 'content-length': 100 }).write('{')
  res.writeHead(status, head).end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** An error as the API's v1 words it. */
export function apiError(
  status: number,
  error: { readonly message: string; readonly type?: string; readonly code?: string; readonly param?: string },
  headers: Readonly<Record<string, string>> = {},
): ApiAnswer {
  return { status, headers, body: { error: { type: status >= 500 ? 'api_error' : 'invalid_request_error', ...error } } }
}

/** 429, to be tried again after the seconds; without them, Stripe names no time. */
export function rateLimited(retryAfterSeconds?: number, headers: Readonly<Record<string, string>> = {}): ApiAnswer {
  const named = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  const message = 'Request rate limit exceeded.'
  return apiError(
    429,
    { message, code: 'rate_limit' },
    { 'stripe-rate-limited-reason': 'global-rate', ...named, ...headers },
  )
}

/** 404: there is no such object, or no longer. */
export function resourceMissing(object: string, id: string): ApiAnswer {
  return apiError(404, { message: `No such ${object}: '${id}'`, code: 'resource_missing', param: 'id' })
}

/** 403: the account left the platform, or never was there. */
export function accountInvalid(account: string): ApiAnswer {
  const message = `The provided key 'sk_test_****1234' does not have access to account '${account}' (or that account does not exist). Application access may have been revoked.`
  return apiError(403, { message, code: 'account_invalid' })
}

/** 500, which the SDK tries again. */
export function serverError(): ApiAnswer {
  return apiError(500, { message: 'An unknown error occurred' })
}

/** A page of a v1 list. */
export function listOf(data: readonly unknown[], { url = '/v1/list', hasMore = false } = {}): ApiAnswer {
  return { body: { object: 'list', url, has_more: hasMore, data } }
}
