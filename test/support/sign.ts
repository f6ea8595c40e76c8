import Stripe from 'stripe'

export const SECRET = 'whsec_account_secret_1'
export const CONNECT_SECRET = 'whsec_connect_secret_1'

/** A Stripe-Signature header for the payload, made by the SDK; `ageSeconds` below zero is the future. */
export function sign(
  payload: string,
  { secret = SECRET, ageSeconds = 0 }: { secret?: string; ageSeconds?: number } = {},
): string {
  const timestamp = Math.floor(Date.now() / 1000) - ageSeconds
  return Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp })
}

let lastId = 0

/** JSON of a small snapshot event with an id of its own. */
export function snapshotJson(overrides: Record<string, unknown> = {}): string {
  lastId += 1
  return JSON.stringify({
    id: `evt_snapshot_${lastId}`,
    object: 'event',
    api_version: '2026-10-28.endive',
    created: 1_700_000_000,
    data: {
      object: { id: `pi_${lastId}`, object: 'payment_intent', amount: 1250, currency: 'usd', status: 'succeeded' },
    },
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type: 'payment_intent.succeeded',
    ...overrides,
  })
}

/** JSON of a small thin event with an id of its own. */
export function thinJson(overrides: Record<string, unknown> = {}): string {
  lastId += 1
  return JSON.stringify({
    id: `evt_thin_${lastId}`,
    object: 'v2.core.event',
    type: 'v1.payment_intent.succeeded',
    created: '2026-01-01T00:00:00.000Z',
    livemode: false,
    related_object: { id: `pi_thin_${lastId}`, type: 'payment_intent', url: `/v1/payment_intents/pi_thin_${lastId}` },
    ...overrides,
  })
}
