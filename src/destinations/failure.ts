import type Stripe from 'stripe'
import { explainFailure, type Failure } from '../stripe/failure.ts'
import type { Finding } from './finding.ts'

const checks = {
  key: 'api_key',
  permission: 'api_permission',
  rate: 'api_reachable',
  connection: 'api_reachable',
  request: 'api_reachable',
} as const satisfies Record<Failure['cause'], Finding['check']>

/** What the SDK's error to a request about destinations means. `action` stands after "could not": `read /v1/…`. */
export function describeFailure(
  error: Stripe.errors.StripeError,
  action: string,
  access: 'Read' | 'Write',
): Finding & { readonly mend: string } {
  const permission = `"Webhook Endpoints and Event Destinations: ${access}"`
  const { cause, message, mend } = explainFailure(error, { action, permission })
  return { severity: 'fault', check: checks[cause], message, mend }
}
