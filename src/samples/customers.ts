import type Stripe from 'stripe'
import type { SampleFacts } from './facts.ts'

/** A customer who has bought before. */
export function sampleCustomer(facts: SampleFacts): Stripe.Customer {
  return {
    id: facts.createId('cus_'),
    object: 'customer',
    address: { city: 'Dublin', country: 'IE', line1: '1 Grand Canal', line2: null, postal_code: 'D02', state: null },
    balance: 0,
    created: facts.createdSeconds,
    currency: 'eur',
    default_source: null,
    delinquent: false,
    description: 'Buys ceramics',
    discount: null,
    email: 'jenny@example.com',
    invoice_prefix: 'R0SEN042',
    invoice_settings: {
      custom_fields: null,
      default_payment_method: facts.createId('pm_'),
      footer: null,
      rendering_options: null,
    },
    livemode: facts.livemode,
    metadata: {},
    name: 'Jenny Rosen',
    next_invoice_sequence: 2,
    phone: null,
    preferred_locales: ['en'],
    shipping: null,
    tax_exempt: 'none',
    test_clock: null,
  }
}

/** A card that a customer let be set up for later payments. */
export function sampleSetupIntent(facts: SampleFacts, change: string): Stripe.SetupIntent {
  const id = facts.createId('seti_')
  const status = setupStatuses[change] ?? 'requires_payment_method'
  return {
    id,
    object: 'setup_intent',
    allowed_payment_method_types: null,
    application: null,
    automatic_payment_methods: { allow_redirects: 'always', enabled: true },
    cancellation_reason: status === 'canceled' ? 'requested_by_customer' : null,
    client_secret: facts.createId(`${id}_secret_`),
    created: facts.createdSeconds - 3,
    customer: facts.createId('cus_'),
    customer_account: null,
    description: null,
    excluded_payment_method_types: null,
    flow_directions: null,
    last_setup_error: change === 'setup_failed' ? refused : null,
    latest_attempt: change === 'created' ? null : facts.createId('setatt_'),
    livemode: facts.livemode,
    mandate: null,
    metadata: {},
    next_action: null,
    on_behalf_of: null,
    payment_method: status === 'succeeded' ? facts.createId('pm_') : null,
    payment_method_configuration_details: null,
    payment_method_options: null,
    payment_method_types: ['card'],
    single_use_mandate: null,
    status,
    usage: 'off_session',
  }
}

const setupStatuses: Readonly<Record<string, Stripe.SetupIntent['status']>> = {
  canceled: 'canceled',
  requires_action: 'requires_action',
  succeeded: 'succeeded',
}

const refused: Stripe.SetupIntent.LastSetupError = {
  code: 'card_declined',
  decline_code: 'generic_decline',
  message: 'Your card was declined.',
  type: 'card_error',
}
