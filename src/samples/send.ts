import Stripe from 'stripe'

const TIMEOUT_MS = 10_000

/** A body to deliver, and what to print about it. */
export interface Delivery {
  readonly type: string
  readonly eventId: string
  readonly body: string | Uint8Array<ArrayBuffer>
}

/** How a delivery ended: an HTTP answer, with the code of a refusal, or why there was none. */
export type Answer =
  | {
      readonly status: number
      readonly code: string | undefined
      /** The reply to a request, which only that has (header `Stripe-Version`): its body, and how long it took. */
      readonly reply?: { readonly body: string; readonly tookMs: number }
    }
  | { readonly failure: string }

export interface Destination {
  readonly url: URL
  readonly secret: string
  /** How long ago the signature claims to have been made; negative is in the future. Default 0. */
  readonly ageSeconds?: number
}

/** Signs a body with the SDK and posts it with Stripe's headers. Never rejects for what the network or the server does. */
export async function sendDelivery(destination: Destination, delivery: Delivery): Promise<Answer> {
  const startedAt = performance.now()
  try {
    const response = await fetch(destination.url, {
      method: 'POST',
      headers: { ...stripeHeaders, 'Stripe-Signature': sign(destination, delivery.body) },
      body: delivery.body,
      // As Stripe: a redirect is a failed delivery.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const body = await response.text()
    const answer = { status: response.status, code: readCode(body) }
    if (!response.headers.has('stripe-version')) return answer
    return { ...answer, reply: { body, tookMs: performance.now() - startedAt } }
  } catch (error) {
    return { failure: describeNetworkError(error) }
  }
}

/** What to print of a body, which may hold anything; `type` stands in for one that names none. */
export function readNames(body: string, type = '(no type)'): { readonly type: string; readonly eventId: string } {
  let event: unknown
  try {
    event = JSON.parse(body)
  } catch {
    event = undefined
  }
  const { id, type: ownType }: { id?: unknown; type?: unknown } = Object(event)
  return { type: typeof ownType === 'string' ? ownType : type, eventId: typeof id === 'string' ? id : '(no id)' }
}

// https://docs.stripe.com/webhooks: what real deliveries carry.
const stripeHeaders = {
  'User-Agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
  Accept: '*/*; q=0.5, application/xml',
  'Accept-Encoding': 'gzip',
  'Cache-Control': 'no-cache',
  'Content-Type': 'application/json; charset=utf-8',
}

function sign({ secret, ageSeconds = 0 }: Destination, body: Delivery['body']): string {
  // The SDK decodes bytes this way when it verifies.
  const payload = typeof body === 'string' ? body : new TextDecoder().decode(body)
  const timestamp = Math.floor(Date.now() / 1_000) - ageSeconds
  return Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp })
}

/** The `code` of `{"error":{"code","message"}}`; undefined in any other answer. */
function readCode(text: string): string | undefined {
  try {
    const code: unknown = JSON.parse(text)?.error?.code
    return typeof code === 'string' ? code : undefined
  } catch {
    return undefined
  }
}

function describeNetworkError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1_000} s`
  // fetch says only 'fetch failed' itself.
  const cause = error.cause instanceof Error ? error.cause : error
  return 'code' in cause ? String(cause.code) : cause.message
}
