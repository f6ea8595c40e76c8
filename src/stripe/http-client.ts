import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import Stripe from 'stripe'
import type { RequestBudget } from './request-budget.ts'

type HttpClient = Stripe.HttpClient
type Response = Stripe.HttpClientResponse

/** What the SDK sends requests with, and the bounds that it does not have itself. */
export interface BoundedHttpClient {
  readonly httpClient: HttpClient
  /** Runs it so that the signal ends every request made inside, the waiting ones too, and their sockets. */
  runWithin<T>(signal: AbortSignal, run: () => T): T
}

/** The SDK's own retries do not cover 429: it hands it on at once. docs.stripe.com/rate-limits */
const TOO_MANY_REQUESTS = 429
const MAX_RATE_LIMIT_RETRIES = 5
/** Without a `Retry-After`; doubled each time. */
const FIRST_WAIT_MS = 1_000
/** Stripe's other SDKs wait no longer either; a later time is for the attempt's own retry. */
const LONGEST_WAIT_MS = 60_000

/**
 * Takes each request out of the budget, and sends it again after a 429 at the time that Stripe names. The SDK's time-out counts
 * for each sending, without the waits. Connections are shared by all clients, since fetch keeps them by host.
 */
export function createBoundedHttpClient(budget: RequestBudget): BoundedHttpClient {
  const signals = new AsyncLocalStorage<AbortSignal>()
  const inner = Stripe.createFetchHttpClient((url, init) => fetch(url, withSignal(init)))

  function withSignal(init: RequestInit = {}): RequestInit {
    const given = [signals.getStore(), init.signal].filter((signal) => signal instanceof AbortSignal)
    return { ...init, signal: AbortSignal.any(given), redirect: 'manual' }
  }

  async function send(request: Parameters<HttpClient['makeRequest']>, signal?: AbortSignal): Promise<Response> {
    for (let retries = 0; ; retries += 1) {
      await budget.take(signal)
      const response = await inner.makeRequest(...request)
      const waitMs = waitBeforeRetry(response, retries)
      if (waitMs === undefined) return response
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

/** Milliseconds until a refused request may be sent again; undefined when the answer stands. */
function waitBeforeRetry(response: Response, retries: number): number | undefined {
  const headers = response.getHeaders()
  if (response.getStatusCode() !== TOO_MANY_REQUESTS || headers['stripe-should-retry'] === 'false') return undefined
  const named = headers['retry-after']
  const isNamed = typeof named === 'string' && /^\d+$/.test(named)
  const waitMs = isNamed ? Number(named) * 1_000 : FIRST_WAIT_MS * 2 ** retries
  return retries < MAX_RATE_LIMIT_RETRIES && waitMs <= LONGEST_WAIT_MS ? waitMs : undefined
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
