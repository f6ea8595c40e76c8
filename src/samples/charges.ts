import type Stripe from 'stripe'
import type { SampleFacts } from './facts.ts'

/** A card payment of 42.00 €; one that failed was declined, one that was refunded was so in full. */
export function sampleCharge(facts: SampleFacts, change: string): Stripe.Charge {
  const status = change === 'failed' || change === 'pending' ? change : 'succeeded'
  const isPaid = status === 'succeeded'
  const isRefunded = change === 'refunded'
  const isCaptured = isPaid && change !== 'expired'
  return {
    id: facts.createId('ch_'),
    object: 'charge',
    amount: 4200,
    amount_captured: isCaptured ? 4200 : 0,
    amount_refunded: isRefunded ? 4200 : 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: isCaptured ? facts.createId('txn_') : null,
    billing_details: {
      address: { city: null, country: 'IE', line1: null, line2: null, postal_code: 'D02', state: null },
      email: 'jenny@example.com',
      name: 'Jenny Rosen',
      phone: null,
      tax_id: null,
    },
    calculated_statement_descriptor: 'ROSEN CERAMICS',
    captured: isCaptured,
    created: facts.createdSeconds - 2,
    currency: 'eur',
    customer: facts.createId('cus_'),
    description: 'Order 1042',
    disputed: false,
    failure_balance_transaction: null,
    failure_code: status === 'failed' ? 'card_declined' : null,
    failure_message: status === 'failed' ? 'Your card has insufficient funds.' : null,
    fraud_details: {},
    livemode: facts.livemode,
    metadata: { order: '1042' },
    on_behalf_of: null,
    outcome: isPaid ? authorized : declined,
    paid: isPaid,
    payment_intent: facts.createId('pi_'),
    payment_method: facts.createId('pm_'),
    payment_method_details: null,
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded: isRefunded,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status,
    transfer_data: null,
    transfer_group: null,
  }
}

const authorized: Stripe.Charge.Outcome = {
  advice_code: null,
  network_advice_code: null,
  network_decline_code: null,
  network_status: 'approved_by_network',
  reason: null,
  risk_level: 'normal',
  seller_message: 'Payment complete.',
  type: 'authorized',
}

const declined: Stripe.Charge.Outcome = {
  ...authorized,
  network_status: 'declined_by_network',
  reason: 'insufficient_funds',
  seller_message: 'The bank returned the decline code `insufficient_funds`.',
  type: 'issuer_declined',
}

/** 42.00 € paid back at the customer's wish. */
export function sampleRefund(facts: SampleFacts, change: string): Stripe.Refund {
  const hasFailed = change === 'failed'
  return {
    id: facts.createId('re_'),
    object: 'refund',
    amount: 4200,
    balance_transaction: facts.createId('txn_'),
    charge: facts.createId('ch_'),
    created: facts.createdSeconds,
    currency: 'eur',
    customer: facts.createId('cus_'),
    customer_account: null,
    ...(hasFailed && {
      failure_balance_transaction: facts.createId('txn_'),
      failure_reason: 'expired_or_canceled_card',
    }),
    metadata: {},
    payment_intent: facts.createId('pi_'),
    payment_method: facts.createId('pm_'),
    reason: 'requested_by_customer',
    receipt_number: null,
    source_transfer_reversal: null,
    status: hasFailed ? 'failed' : 'succeeded',
    transfer_reversal: null,
  }
}
