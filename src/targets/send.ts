import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { ReceiverError } from '../errors.ts'
import { redact } from '../log.ts'
import { assertNotRefused, guardedLookup, RefusedAddress } from './guarded-lookup.ts'
import type { LoadedTarget } from './load.ts'

/** What came of one request. */
export interface Sent {
  /** Null when no answer came, or not in time. */
  readonly status: number | null
  /** Milliseconds to wait that the answer named. */
  readonly retryAfterMs: number | null
  /** The first KB of an answer that is no success, without signatures and secrets; null of the others. */
  readonly answer: string | null
  /** Why no answer came; null when one did. */
  readonly error: string | null
}

export interface Request {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** Cuts it off. */
  readonly signal: AbortSignal
}

/** Sends to one target, over connections that are kept. */
export interface Sender {
  /** Never rejects, but with the signal's reason when that aborts. */
  send(request: Request): Promise<Sent>
  close(): void
}

/** What a proxy is named by. nodejs.org/api/http.html#built-in-proxy-support */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>

const MAX_ANSWER_BYTES = 1_024
/** More of a failed answer is not waited for: its connection goes. */
const MAX_READ_BYTES = 65_536
const LONGEST_PAUSE_MS = 6 * 3_600_000
/** Less than servers keep theirs, so that none is used just when its server closes it. */
const IDLE_CONNECTION_MS = 2_000

/**
 * Posts to the target's URL: no redirect is followed, no link-local address reached, TLS always verified, all within the target's time.
 * Behind a proxy, names are its to look up. Throws ReceiverError `targets_invalid` when a proxy is none.
 */
export function createSender(
  target: Pick<LoadedTarget, 'url' | 'timeoutMs' | 'ca' | 'concurrency'>,
  proxyEnv: ProxyEnvironment,
): Sender {
  assertProxies(proxyEnv)
  const { url, timeoutMs, ca, concurrency } = target
  const options = { keepAlive: true, maxSockets: concurrency, timeout: IDLE_CONNECTION_MS, proxyEnv: { ...proxyEnv } }
  const isSecure = url.protocol === 'https:'
  // Said, since NODE_TLS_REJECT_UNAUTHORIZED can turn it off for what says nothing.
  const secure = { rejectUnauthorized: true, ...(ca !== undefined && { ca }) }
  const agent = isSecure ? new HttpsAgent({ ...options, ...secure }) : new HttpAgent(options)
  const open = isSecure ? httpsRequest : httpRequest

  /** The answer, whose body may be on its way. */
  async function begin({ headers, body }: Request, signal: AbortSignal): Promise<IncomingMessage> {
    assertNotRefused(url.hostname)
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const request = open(url, { method: 'POST', agent, headers, lookup: guardedLookup, signal })
    request.on('response', resolve).on('error', reject)
    // Without this Node ends the connection, and nobody is told.
    request.on('upgrade', (response, socket) => {
      socket.destroy()
      resolve(response)
    })
    request.on('close', () => reject(new Error('closed without an answer')))
    request.end(body)
    return promise
  }

  return {
    async send(asked) {
      const timeUp = new AbortController()
      const timer = setTimeout(() => timeUp.abort(), timeoutMs)
      const signal = AbortSignal.any([timeUp.signal, asked.signal])
      // A request without a socket, such as one whose proxy does not answer, tells nobody that it was cut off.
      const { promise: cutOff, reject } = Promise.withResolvers<never>()
      signal.addEventListener('abort', reject)
      try {
        const response = await Promise.race([begin(asked, signal), cutOff])
        return await readAnswer(response, asked.headers, cutOff)
      } catch (error) {
        if (asked.signal.aborted) throw asked.signal.reason
        const words = timeUp.signal.aborted ? `no answer within ${timeoutMs} ms (timeoutMs)` : describeFailure(error)
        return { status: null, retryAfterMs: null, answer: null, error: words }
      } finally {
        clearTimeout(timer)
        signal.removeEventListener('abort', reject)
      }
    },
    close: () => agent.destroy(),
  }
}

/** Node's own error would tell the URL, perhaps with a password. */
function assertProxies(proxyEnv: ProxyEnvironment): void {
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy']) {
    const proxy = proxyEnv[name]
    if (proxy && !/^https?:$/.test(URL.parse(proxy)?.protocol ?? ''))
      throw new ReceiverError(
        'targets_invalid',
        `${name}: expected the URL of a proxy, such as http://proxy.example.com:3128`,
      )
  }
}

/** The status decides, whatever becomes of the body. */
async function readAnswer(response: IncomingMessage, asked: Request['headers'], cutOff: Promise<never>): Promise<Sent> {
  const { statusCode: status = 0, headers } = response
  const isSuccess = status >= 200 && status < 300
  const chunks: Buffer[] = []
  const reading = (async () => {
    let bytes = 0
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (!isSuccess && bytes - chunk.length < MAX_ANSWER_BYTES) chunks.push(chunk)
      // Leaving the loop destroys the connection, and nothing more of it is read.
      if (bytes > MAX_READ_BYTES) break
    }
  })()
  await Promise.race([reading, cutOff]).catch(() => undefined)
  const answer = isSuccess ? null : keepBeginning(Buffer.concat(chunks).toString('utf8'), asked)
  return { status, retryAfterMs: readRetryAfter(headers['retry-after'], Date.now()), answer, error: null }
}

/** An HMAC with SHA-256, in hexadecimal or base64. */
const MAC = /[\da-f]{64}|[A-Za-z\d+/]{43}(?==)/g

/** Its first KB, without the signatures that the request had: some services answer with what they got. */
function keepBeginning(answer: string, asked: Request['headers']): string {
  const macs = Object.values(asked).flatMap((value) => value.match(MAC) ?? [])
  // JSON may have `/` as `\/`.
  const forms = macs.flatMap((mac) => [mac, mac.replaceAll('/', '\\/')])
  const clean = redact(forms.reduce((text, form) => text.replaceAll(form, '[redacted]'), answer))
  return Buffer.from(clean).subarray(0, MAX_ANSWER_BYTES).toString('utf8')
}

/** Seconds or a date (RFC 9110 §10.2.3), six hours at most; null for anything else. */
export function readRetryAfter(text: string | undefined, now: number): number | null {
  if (text === undefined) return null
  // `Date.parse` would take a number for a year.
  const waitMs = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now
  return Number.isNaN(waitMs) ? null : Math.min(Math.max(0, waitMs), LONGEST_PAUSE_MS)
}

/** An error of a connection has its code; messages are not told, but for our own. */
function describeFailure(error: unknown): string {
  if (error instanceof RefusedAddress) return error.message
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return `no answer: ${code ?? 'the connection failed'}`
}
