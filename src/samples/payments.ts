import type Stripe from 'stripe'
import type { SampleFacts } from './facts.ts'

const paymentStatuses: Readonly<Record<string, Stripe.PaymentIntent['status']>> = {
  amount_capturable_updated: 'requires_capture',
  canceled: 'canceled',
  partially_funded: 'requires_action',
  processing: 'processing',
  requires_action: 'requires_action',
  succeeded: 'succeeded',
}

const declined: Stripe.PaymentIntent.LastPaymentError = {
  code: 'card_declined',
  decline_code: 'insufficient_funds',
  message: 'Your card has insufficient funds.',
  type: 'card_error',
}

/** A card payment of 42.00 €. */
export function samplePaymentIntent(facts: SampleFacts, change: string): Stripe.PaymentIntent {
  const status = paymentStatuses[change] ?? 'requires_payment_method'
  const id = facts.createId('pi_')
  return {
    id,
    object: 'payment_intent',
    allowed_payment_method_types: null,
    amount: 4200,
    amount_capturable: status === 'requires_capture' ? 4200 : 0,
    amount_details: { tip: {} },
    amount_received: status === 'succeeded' ? 4200 : 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: { allow_redirects: 'always', enabled: true },
    canceled_at: status === 'canceled' ? facts.createdSeconds : null,
    cancellation_reason: status === 'canceled' ? 'requested_by_customer' : null,
    capture_method: 'automatic_async',
    client_secret: facts.createId(`${id}_secret_`),
    confirmation_method: 'automatic',
    created: facts.createdSeconds - 3,
    currency: 'eur',
    customer: facts.createId('cus_'),
    customer_account: null,
    description: 'Order 1042',
    excluded_payment_method_types: null,
    last_payment_error: change === 'payment_failed' ? declined : null,
    latest_charge: facts.createId('ch_'),
    livemode: facts.livemode,
    managed_payments: { enabled: false },
    metadata: { order: '1042' },
    next_action: null,
    on_behalf_of: null,
    payment_method: facts.createId('pm_'),
    payment_method_configuration_details: { id: facts.createId('pmc_'), parent: null },
    payment_method_options: {
      card: { installments: null, mandate_options: null, network: null, request_three_d_secure: 'automatic' },
    },
    payment_method_types: ['card', 'link'],
    payment_record: null,
    processing: null,
    receipt_email: null,
    review: null,
    setup_future_usage: null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status,
    transfer_data: null,
    transfer_group: null,
  }
}

/** A customer's Visa card. */
export function samplePaymentMethod(facts: SampleFacts, change: string): Stripe.PaymentMethod {
  return {
    id: facts.createId('pm_'),
    object: 'payment_method',
    allow_redisplay: 'limited',
    billing_details: {
      address: {
        city: 'Dublin',
        country: 'IE',
        line1: '1 Grand Canal',
        line2: null,
        postal_code: 'D02',
        state: null,
      },
      email: 'jenny@example.com',
      name: 'Jenny Rosen',
      phone: null,
      tax_id: null,
    },
    card: sampleCard,
    created: facts.createdSeconds - 2,
    customer: change === 'detached' ? null : facts.createId('cus_'),
    customer_account: null,
    livemode: facts.livemode,
    metadata: {},
    type: 'card',
  }
}

const sampleCard: Stripe.PaymentMethod.Card = {
  brand: 'visa',
  checks: { address_line1_check: 'pass', address_postal_code_check: 'pass', cvc_check: 'pass' },
  country: 'IE',
  display_brand: 'visa',
  exp_month: 8,
  exp_year: 2031,
  fingerprint: 'Xq3vR8bJw2kLm0Za',
  funding: 'credit',
  generated_from: null,
  last4: '4242',
  networks: { available: ['visa'], preferred: null },
  regulated_status: 'unregulated',
  three_d_secure_usage: { supported: true },
  wallet: null,
}
