import type Stripe from 'stripe'
import type { EventOf } from '../event.ts'
import type { SampleFacts } from './facts.ts'

/** A card payment of 42.00 € that went through. */
export function samplePaymentIntentSucceeded(facts: SampleFacts): EventOf<'payment_intent.succeeded'>['data'] {
  const id = facts.createId('pi_')
  return {
    object: {
      id,
      object: 'payment_intent',
      allowed_payment_method_types: null,
      amount: 4200,
      amount_capturable: 0,
      amount_details: { tip: {} },
      amount_received: 4200,
      application: null,
      application_fee_amount: null,
      automatic_payment_methods: { allow_redirects: 'always', enabled: true },
      canceled_at: null,
      cancellation_reason: null,
      capture_method: 'automatic_async',
      client_secret: facts.createId(`${id}_secret_`),
      confirmation_method: 'automatic',
      created: facts.createdSeconds - 3,
      currency: 'eur',
      customer: facts.createId('cus_'),
      customer_account: null,
      description: 'Order 1042',
      excluded_payment_method_types: null,
      last_payment_error: null,
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
      status: 'succeeded',
      transfer_data: null,
      transfer_group: null,
    },
  }
}

/** A Visa card that was attached to a customer. */
export function samplePaymentMethodAttached(facts: SampleFacts): EventOf<'payment_method.attached'>['data'] {
  return {
    object: {
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
      customer: facts.createId('cus_'),
      customer_account: null,
      livemode: facts.livemode,
      metadata: {},
      type: 'card',
    },
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

/** Funds of two currencies that became available. A balance has no id. */
export function sampleBalanceAvailable(facts: SampleFacts): EventOf<'balance.available'>['data'] {
  return {
    object: {
      object: 'balance',
      available: [
        { amount: 185_340, currency: 'eur', source_types: { card: 185_340 } },
        { amount: 9_900, currency: 'usd', source_types: { card: 9_900 } },
      ],
      connect_reserved: [{ amount: 0, currency: 'eur' }],
      livemode: facts.livemode,
      pending: [
        { amount: 42_100, currency: 'eur', source_types: { card: 42_100 } },
        { amount: 0, currency: 'usd', source_types: { card: 0 } },
      ],
      refund_and_dispute_prefunding: {
        available: [{ amount: 0, currency: 'eur' }],
        pending: [{ amount: 0, currency: 'eur' }],
      },
    },
  }
}

/** An automatic payout that the bank sent back because the account is closed. */
export function samplePayoutFailed(facts: SampleFacts): EventOf<'payout.failed'>['data'] {
  const createdSeconds = facts.createdSeconds - 2 * 86_400
  return {
    object: {
      id: facts.createId('po_'),
      object: 'payout',
      amount: 185_340,
      application_fee: null,
      application_fee_amount: null,
      arrival_date: createdSeconds + 86_400,
      automatic: true,
      balance_transaction: facts.createId('txn_'),
      created: createdSeconds,
      currency: 'eur',
      description: 'STRIPE PAYOUT',
      destination: facts.createId('ba_'),
      failure_balance_transaction: facts.createId('txn_'),
      failure_code: 'account_closed',
      failure_message: 'The bank account has been closed',
      livemode: facts.livemode,
      metadata: {},
      method: 'standard',
      original_payout: null,
      payout_method: null,
      reconciliation_status: 'completed',
      reversed_by: null,
      source_type: 'card',
      statement_descriptor: null,
      status: 'failed',
      trace_id: { status: 'unsupported', value: null },
      type: 'bank_account',
    },
  }
}
