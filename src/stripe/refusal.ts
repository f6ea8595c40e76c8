import Stripe from 'stripe'

/** Why Stripe did not answer as hoped, for operators. */
export interface Refusal {
  /** One sentence: what came, and what to do. Never a body or a key. */
  readonly message: string
  /** The account can't be acted for any more, or never could; nothing else is wrong. */
  readonly isAccountGone: boolean
  /** The same would come for any account: the key, the connection, the rate limit. */
  readonly isForAllAccounts: boolean
}

/** What a failed request for the account (null: the platform) means. Undefined when the error is not the SDK's. */
export function explainRefusal(error: unknown, account: string | null): Refusal | undefined {
  const { StripeAuthenticationError, StripeConnectionError, StripeError, StripePermissionError, StripeRateLimitError } =
    Stripe.errors
  if (!(error instanceof StripeError)) return undefined
  const forAll = (message: string): Refusal => ({ message, isAccountGone: false, isForAllAccounts: true })
  if (error.code === 'account_invalid' && account !== null) {
    const message = `${account} is not connected to the platform of STRIPE_API_KEY: it left, was never connected, or is of the other mode`
    return { message, isAccountGone: true, isForAllAccounts: false }
  }
  if (error instanceof StripeAuthenticationError) {
    return forAll('Stripe does not take STRIPE_API_KEY (401): it was rolled, revoked or mistyped; set a valid one')
  }
  if (error instanceof StripePermissionError) {
    const message = `STRIPE_API_KEY may not read the events of ${account ?? 'its own account'} (403): give the restricted key read access to Events, for connected accounts too`
    return { message, isAccountGone: false, isForAllAccounts: account === null }
  }
  if (error instanceof StripeRateLimitError) {
    return forAll('Stripe still limits the rate of requests (429) after several waits: something else uses it up')
  }
  if (error instanceof StripeConnectionError) {
    return forAll('Stripe cannot be reached: check the network, the proxy, and STRIPE_API_BASE if it is set')
  }
  const message = `Stripe answered ${error.statusCode ?? 'an error'} for ${account ?? 'its own account'}: ${error.message}`
  return { message, isAccountGone: false, isForAllAccounts: account === null }
}
