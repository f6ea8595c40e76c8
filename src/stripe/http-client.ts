import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import Stripe from 'stripe'
import { type OperationBudgets, operationOf } from './operation-budgets.ts'
import type { RateLimited } from './rate-limit-log.ts'

type HttpClient = Stripe.HttpClient
type Response = Stripe.HttpClientResponse

/** What the SDK sends requests with, and the bounds that it does not have itself. */
export interface BoundedHttpClient {
  readonly httpClient: HttpClient
  /** Runs it so that the signal ends every request made inside, the waiting ones too, and their sockets. */
  runWithin<T>(signal: AbortSignal, run: () => T): T
}

/** The SDK's own retries do not cover 429, or send it again too soon. docs.stripe.com/rate-limits */
const TOO_MANY_REQUESTS = 429
const MAX_RATE_LIMIT_RETRIES = 5
/** Without a `Retry-After`; doubled each time. */
const FIRST_WAIT_MS = 1_000
/** What takes longer is for the attempt's own retry, which holds no worker's place meanwhile; see `retryAfter`. */
const LONGEST_WAIT_MS = 5_000

/**
 * Takes each request out of the budgets, and sends it again after a 429 at the time that Stripe names, if that is soon. The SDK's time-out
 * counts for each sending, without the waits. Connections are shared by all clients, since fetch keeps them by host.
 */
export function createBoundedHttpClient(
  budgets: OperationBudgets,
  onRateLimited: (refused: RateLimited) => void = () => undefined,
): BoundedHttpClient {
  const signals = new AsyncLocalStorage<AbortSignal>()
  const inner = Stripe.createFetchHttpClient((url, init) => fetch(url, withSignal(init)))

  function withSignal(init: RequestInit = {}): RequestInit {
    const given = [signals.getStore(), init.signal].filter((signal) => signal instanceof AbortSignal)
    return { ...init, signal: AbortSignal.any(given), redirect: 'manual' }
  }

  async function send(request: Parameters<HttpClient['makeRequest']>, signal?: AbortSignal): Promise<Response> {
    const [, , path, method] = request
    const operation = operationOf(method, path)
    for (let retries = 0; ; retries += 1) {
      await budgets.take(operation, signal)
      const response = await inner.makeRequest(...request)
      if (response.getStatusCode() !== TOO_MANY_REQUESTS) return response
      onRateLimited({ operation, ...readRefusal(response) })
      const waitMs = waitBeforeRetry(response, retries)
      if (waitMs === undefined) return asFinal(response)
      response.dispose?.()
      await delay(waitMs, undefined, { signal })
    }
  }

  return {
    httpClient: {
      getClientName: () => inner.getClientName(),
      async makeRequest(...request) {
        const signal = signals.getStore()
        try {
          return await send(request, signal)
        } catch (error) {
          if (signal?.aborted) return createAbortedResponse(signal)
          throw error
        }
      },
    },
    runWithin: (signal, run) => signals.run(signal, run),
  }
}

/** Milliseconds until a refused request is sent again; undefined when the refusal stands. */
function waitBeforeRetry(response: Response, retries: number): number | undefined {
  if (response.getHeaders()['stripe-should-retry'] === 'false') return undefined
  const { retryAfterSeconds } = readRefusal(response)
  const waitMs = retryAfterSeconds === null ? FIRST_WAIT_MS * 2 ** retries : retryAfterSeconds * 1_000
  return retries < MAX_RATE_LIMIT_RETRIES && waitMs <= LONGEST_WAIT_MS ? waitMs : undefined
}

function readRefusal(response: Response): Omit<RateLimited, 'operation'> {
  const { 'retry-after': after, 'stripe-rate-limited-reason': reason } = response.getHeaders()
  return {
    reason: typeof reason === 'string' && /^[\w-]{1,60}$/.test(reason) ? reason : null,
    retryAfterSeconds: typeof after === 'string' && /^\d+$/.test(after) ? Number(after) : null,
  }
}

/** The SDK would send it again at once where Stripe says that it may be sent again. */
function asFinal(response: Response): Response {
  return {
    getStatusCode: () => response.getStatusCode(),
    getHeaders: () => ({ ...response.getHeaders(), 'stripe-should-retry': 'false' }),
    getRawResponse: () => response.getRawResponse(),
    toStream: (onDone) => response.toStream(onDone),
    toJSON: () => response.toJSON(),
  }
}

/** An answer that the SDK takes as final: it would send the request again after any error. */
function createAbortedResponse(signal: AbortSignal): Response {
  const message = signal.reason instanceof Error ? signal.reason.message : 'aborted'
  return {
    getStatusCode: () => 499,
    getHeaders: () => ({ 'stripe-should-retry': 'false' }),
    getRawResponse: () => ({}),
    toStream: (onDone) => onDone(),
    toJSON: async () => ({ error: { type: 'api_error', message } }),
  }
}
