import type Stripe from 'stripe'
import type { SampleFacts } from './facts.ts'

/** Funds of two currencies that became available. A balance has no id. */
export function sampleBalance(facts: SampleFacts): Stripe.Balance {
  return {
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
  }
}

const payoutStatuses: Readonly<Record<string, Stripe.Payout['status']>> = {
  canceled: 'canceled',
  created: 'pending',
  failed: 'failed',
  updated: 'in_transit',
}

/** An automatic payout; one that failed was sent back by the bank because the account is closed. */
export function samplePayout(facts: SampleFacts, change: string): Stripe.Payout {
  const status = payoutStatuses[change] ?? 'paid'
  const hasFailed = status === 'failed'
  const createdSeconds = facts.createdSeconds - 2 * 86_400
  return {
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
    failure_balance_transaction: hasFailed ? facts.createId('txn_') : null,
    failure_code: hasFailed ? 'account_closed' : null,
    failure_message: hasFailed ? 'The bank account has been closed' : null,
    livemode: facts.livemode,
    metadata: {},
    method: 'standard',
    original_payout: null,
    payout_method: null,
    reconciliation_status: status === 'paid' || hasFailed ? 'completed' : 'in_progress',
    reversed_by: null,
    source_type: 'card',
    statement_descriptor: null,
    status,
    trace_id: { status: 'unsupported', value: null },
    type: 'bank_account',
  }
}
