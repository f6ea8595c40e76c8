import Stripe from 'stripe'
import { retryAfter } from '../errors.ts'

/** Why Stripe did not do what was asked, for operators. */
export interface Failure {
  readonly cause: 'key' | 'permission' | 'rate' | 'connection' | 'request'
  /** What came. Never a body or a key. */
  readonly message: string
  /** What to do. */
  readonly mend: string
}

/** What was asked of Stripe. */
export interface Asked {
  /** After "could not": `read the events of acct_1A2b3C4d5E6f`. */
  readonly action: string
  /** What a restricted key needs for it. */
  readonly permission: string
}

/** What the SDK's error means, once it has tried again as often as it may. */
export function explainFailure(error: Stripe.errors.StripeError, { action, permission }: Asked): Failure {
  const { StripeAuthenticationError, StripeConnectionError, StripePermissionError } = Stripe.errors
  if (error instanceof StripeAuthenticationError) {
    return {
      cause: 'key',
      message: 'Stripe does not take STRIPE_API_KEY (401): it was rolled, revoked or mistyped',
      mend: 'set STRIPE_API_KEY in .env to a key that the Dashboard shows under Developers → API keys',
    }
  }
  if (error instanceof StripePermissionError) {
    return {
      cause: 'permission',
      message: `STRIPE_API_KEY may not ${action} (403)`,
      mend: `give the restricted key ${permission}, in the Dashboard`,
    }
  }
  // By its status: of v2 it is another class.
  if (error.statusCode === 429) {
    const reason = error.headers?.['stripe-rate-limited-reason']
    const waitMs = retryAfter(error) ?? 0
    return {
      cause: 'rate',
      message: `Stripe limits the rate of requests (429${reason === undefined ? '' : `, ${hideKeys(reason)}`}): could not ${action}`,
      mend: `try again ${waitMs > 0 ? `in ${waitMs / 1_000} s` : 'later'}, and look for what else uses the limit up`,
    }
  }
  if (error instanceof StripeConnectionError) {
    return {
      cause: 'connection',
      message: isTimeOut(error) ? `Stripe did not answer in time: could not ${action}` : 'Stripe cannot be reached',
      mend: 'check the network, the proxy, and STRIPE_API_BASE if it is set',
    }
  }
  return {
    cause: 'request',
    message: `Stripe answered ${error.statusCode ?? 'with no API answer'}, could not ${action}: ${hideKeys(error.message)}`,
    mend: 'do what the message says; status.stripe.com tells whether Stripe has a fault',
  }
}

function isTimeOut({ detail }: Stripe.errors.StripeConnectionError): boolean {
  return typeof detail === 'object' && 'code' in detail && detail.code === Stripe.HttpClient.TIMEOUT_ERROR_CODE
}

/** Stripe's messages may name a part of the key. */
function hideKeys(message: string): string {
  return message.slice(0, 500).replace(/\b([sr]k_|whsec_)\S+/g, '$1…')
}
