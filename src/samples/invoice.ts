import type Stripe from 'stripe'
import type { SampleFacts } from './facts.ts'

const statuses: Readonly<Record<string, Stripe.Invoice.Status>> = {
  created: 'draft',
  deleted: 'draft',
  finalization_failed: 'draft',
  marked_uncollectible: 'uncollectible',
  overpaid: 'paid',
  paid: 'paid',
  payment_succeeded: 'paid',
  upcoming: 'draft',
  voided: 'void',
}

/** 42.00 € for the first month of a subscription. What is upcoming has no id yet. */
export function sampleInvoice(facts: SampleFacts, change: string): object {
  const { id, ...invoice } = createInvoice(facts, change)
  return change === 'upcoming' ? invoice : { id, ...invoice }
}

function createInvoice(facts: SampleFacts, change: string): Stripe.Invoice {
  const id = facts.createId('in_')
  const status = statuses[change] ?? 'open'
  const isPaid = status === 'paid'
  const isFinal = status !== 'draft'
  return {
    id,
    object: 'invoice',
    account_country: 'IE',
    account_name: 'Rosen Ceramics',
    account_tax_ids: null,
    amount_due: 4200,
    amount_overpaid: change === 'overpaid' ? 100 : 0,
    amount_paid: isPaid ? 4200 : 0,
    amount_remaining: isPaid ? 0 : 4200,
    amount_shipping: 0,
    application: null,
    attempt_count: isPaid || change === 'payment_failed' ? 1 : 0,
    attempted: isPaid || change === 'payment_failed',
    auto_advance: status === 'open',
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: null,
    billing_reason: change === 'upcoming' ? 'upcoming' : 'subscription_create',
    collection_method: 'charge_automatically',
    created: facts.createdSeconds,
    currency: 'eur',
    custom_fields: null,
    customer: facts.createId('cus_'),
    customer_account: null,
    customer_address: null,
    customer_email: 'jenny@example.com',
    customer_name: 'Jenny Rosen',
    customer_phone: null,
    customer_shipping: null,
    customer_tax_exempt: 'none',
    customer_tax_ids: [],
    default_payment_method: null,
    default_source: null,
    default_tax_rates: [],
    description: null,
    discounts: [],
    due_date: null,
    effective_at: isFinal ? facts.createdSeconds : null,
    ending_balance: isFinal ? 0 : null,
    footer: null,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer: { type: 'self' },
    last_finalization_error: null,
    latest_revision: null,
    lines: { object: 'list', data: [], has_more: false, url: `/v1/invoices/${id}/lines` },
    livemode: facts.livemode,
    metadata: {},
    next_payment_attempt: change === 'payment_failed' ? facts.createdSeconds + 3 * 86_400 : null,
    number: isFinal ? 'R0SEN042-0001' : null,
    on_behalf_of: null,
    parent: {
      quote_details: null,
      subscription_details: { metadata: {}, subscription: facts.createId('sub_') },
      type: 'subscription_details',
    },
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_end: facts.createdSeconds,
    period_start: facts.createdSeconds,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: 0,
    statement_descriptor: null,
    status,
    status_transitions: {
      finalized_at: isFinal ? facts.createdSeconds : null,
      marked_uncollectible_at: status === 'uncollectible' ? facts.createdSeconds : null,
      paid_at: isPaid ? facts.createdSeconds : null,
      voided_at: status === 'void' ? facts.createdSeconds : null,
    },
    subtotal: 4200,
    subtotal_excluding_tax: 4200,
    test_clock: null,
    total: 4200,
    total_discount_amounts: [],
    total_excluding_tax: 4200,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: null,
  }
}
