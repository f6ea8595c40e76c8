import Stripe from 'stripe'
import type { Finding } from './finding.ts'

const PATHS = { v1: '/v1/webhook_endpoints', v2: '/v2/core/event_destinations' } as const

/** Why a list of destinations could not be read, and what to do. Never what Stripe said of the key. */
export function explainListFailure(api: 'v1' | 'v2', error: Stripe.errors.StripeError): Finding {
  const path = PATHS[api]
  if (api === 'v2' && error.statusCode === 404) {
    return {
      severity: 'warning',
      check: 'api_reachable',
      message: `${path} is not there for this account (404): only what ${PATHS.v1} lists was looked at`,
      mend: 'thin destinations need it: ask Stripe support to enable API v2, or do without them',
    }
  }
  return explainFailure(`read ${path}`, error, 'Read')
}

/** Why Stripe did not do what was asked (`read /v1/…`), and what to do. */
export function explainFailure(
  action: string,
  error: Stripe.errors.StripeError,
  permission: 'Read' | 'Write',
): Finding & { readonly mend: string } {
  const { StripeAuthenticationError, StripeConnectionError, StripePermissionError, StripeRateLimitError } =
    Stripe.errors
  const fault = (check: Finding['check'], message: string, mend: string) =>
    ({ severity: 'fault', check, message, mend }) as const
  if (error instanceof StripeAuthenticationError) {
    return fault(
      'api_key',
      'Stripe does not take STRIPE_API_KEY (401): it was rolled, revoked or mistyped',
      'set STRIPE_API_KEY in .env to a key that the Dashboard shows under Developers → API keys',
    )
  }
  if (error instanceof StripePermissionError) {
    return fault(
      'api_permission',
      `STRIPE_API_KEY may not ${action} (403)`,
      `give the restricted key "Webhook Endpoints and Event Destinations: ${permission}" in the Dashboard`,
    )
  }
  if (error instanceof StripeRateLimitError) {
    return fault('api_reachable', `Stripe limits the rate of requests (429): could not ${action}`, 'try again later')
  }
  if (error instanceof StripeConnectionError) {
    return fault(
      'api_reachable',
      'Stripe cannot be reached',
      'check the network and the proxy, and STRIPE_API_BASE if it is set',
    )
  }
  return fault(
    'api_reachable',
    `Stripe answered ${error.statusCode ?? 'with no API answer'}, could not ${action}: ${hideKeys(error.message)}`,
    'do what the message says; status.stripe.com tells whether Stripe has a fault',
  )
}

/** Stripe's messages may name a part of the key. */
function hideKeys(message: string): string {
  return message.slice(0, 500).replace(/\b([sr]k_|whsec_)\S+/g, '$1…')
}
