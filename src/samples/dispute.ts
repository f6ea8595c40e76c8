import type Stripe from 'stripe'
import type { SampleFacts } from './facts.ts'

const statuses: Readonly<Record<string, Stripe.Dispute['status']>> = {
  closed: 'lost',
  funds_reinstated: 'won',
  updated: 'under_review',
}

/** A card payment of 42.00 € that its holder disputes as fraudulent; evidence is due within a week. */
export function sampleDispute(facts: SampleFacts, change: string): Stripe.Dispute {
  const id = facts.createId('du_')
  return {
    id,
    object: 'dispute',
    amount: 4200,
    balance_transactions: [sampleWithdrawal(facts, id)],
    charge: facts.createId('ch_'),
    created: facts.createdSeconds,
    currency: 'eur',
    enhanced_eligibility_types: [],
    evidence: noEvidence,
    evidence_details: {
      due_by: facts.createdSeconds + 7 * 86_400,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: 'not_submitted',
    },
    intended_submission_method: null,
    is_charge_refundable: false,
    livemode: facts.livemode,
    metadata: {},
    payment_intent: facts.createId('pi_'),
    payment_method_details: {
      card: { brand: 'visa', case_type: 'chargeback', network: 'visa', network_reason_code: '10.4' },
      type: 'card',
    },
    reason: 'fraudulent',
    status: statuses[change] ?? 'needs_response',
  }
}

function sampleWithdrawal(facts: SampleFacts, dispute: string): Stripe.BalanceTransaction {
  const description = 'Dispute fee'
  return {
    id: facts.createId('txn_'),
    object: 'balance_transaction',
    amount: -4200,
    available_on: facts.createdSeconds + 86_400,
    balance_type: 'payments',
    created: facts.createdSeconds,
    currency: 'eur',
    description: 'Chargeback withdrawal',
    exchange_rate: null,
    fee: 2000,
    fee_details: [{ amount: 2000, application: null, currency: 'eur', description, type: 'stripe_fee' }],
    net: -6200,
    reporting_category: 'dispute',
    source: dispute,
    status: 'pending',
    type: 'adjustment',
  }
}

const noEvidence: Stripe.Dispute.Evidence = {
  access_activity_log: null,
  billing_address: null,
  cancellation_policy: null,
  cancellation_policy_disclosure: null,
  cancellation_rebuttal: null,
  customer_communication: null,
  customer_email_address: 'jenny@example.com',
  customer_name: 'Jenny Rosen',
  customer_purchase_ip: '203.0.113.7',
  customer_signature: null,
  duplicate_charge_documentation: null,
  duplicate_charge_explanation: null,
  duplicate_charge_id: null,
  enhanced_evidence: {},
  product_description: null,
  receipt: null,
  refund_policy: null,
  refund_policy_disclosure: null,
  refund_refusal_explanation: null,
  service_date: null,
  service_documentation: null,
  shipping_address: null,
  shipping_carrier: null,
  shipping_date: null,
  shipping_documentation: null,
  shipping_tracking_number: null,
  uncategorized_file: null,
  uncategorized_text: null,
}
