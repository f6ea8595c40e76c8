import Stripe from 'stripe'
import { retryAfter } from '../errors.ts'
import { type Asked, explainFailure } from '../stripe/failure.ts'

/** Why an account's events could not be read, for operators. */
export interface Refusal {
  /** What came, and what to do. Never a body or a key. */
  readonly message: string
  /** The account can't be acted for any more, or never could; nothing else is wrong. */
  readonly isAccountGone: boolean
  /** The same would surely come for any account. */
  readonly isForAllAccounts: boolean
  /** Stripe was not reached, or did not answer in time. */
  readonly isConnection: boolean
  /** When Stripe wants it to be asked again at the earliest, in milliseconds. */
  readonly retryAfterMs?: number
}

const eventsOf = (account: string | null): Asked => ({
  action: `read the events of ${account ?? 'its own account'}`,
  permission: 'read access to Events, for connected accounts too',
})

/** What a failed request for the account (null: the platform) means. Undefined when the error is not the SDK's. */
export function explainRefusal(
  error: unknown,
  account: string | null,
  asked: Asked = eventsOf(account),
): Refusal | undefined {
  if (!(error instanceof Stripe.errors.StripeError)) return undefined
  if (error.code === 'account_invalid' && account !== null) {
    const message = `${account} is not connected to the platform of STRIPE_API_KEY: it left, was never connected, or is of the other mode`
    return { message, isAccountGone: true, isForAllAccounts: false, isConnection: false }
  }
  const { cause, message, mend } = explainFailure(error, asked)
  const retryAfterMs = retryAfter(error)
  return {
    message: `${message}; ${mend}`,
    isAccountGone: false,
    isForAllAccounts: cause === 'key' || (cause === 'permission' && account === null),
    isConnection: cause === 'connection',
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}

/** Thin types that Stripe does not list. */
export interface Unlisted {
  readonly types: readonly string[]
  /** What came, and what it means. Never a body or a key. */
  readonly message: string
}

/** Of a refusal of the types themselves, which is nothing to try again for; undefined when the error is another. */
export function explainUnlisted(error: unknown, types: readonly string[]): Unlisted | undefined {
  if (!(error instanceof Stripe.errors.StripeError)) return undefined
  if (error.statusCode !== 400 && error.statusCode !== 404) return undefined
  const [first = '', ...others] = types
  const named = others.length === 0 ? first : `${first} and ${others.length} more types`
  const { message } = explainFailure(error, { action: `list thin events of ${named}`, permission: '' })
  return { types, message: `${message}; only deliveries bring them` }
}
