import Stripe from 'stripe'
import type { SampleFacts } from './facts.ts'
import { samplePrice } from './prices.ts'

const statuses: Readonly<Record<string, Stripe.Subscription['status']>> = {
  deleted: 'canceled',
  incomplete: 'incomplete',
  incomplete_expired: 'incomplete_expired',
  past_due: 'past_due',
  paused: 'paused',
  trial_will_end: 'trialing',
  trialing: 'trialing',
  unpaid: 'unpaid',
}

const MONTH_SECONDS = 30 * 86_400

/** A customer's subscription of 42.00 € a month, in its first month. */
export function sampleSubscription(facts: SampleFacts, change: string): Stripe.Subscription {
  const id = facts.createId('sub_')
  const status = statuses[change] ?? 'active'
  const endedAt = status === 'canceled' ? facts.createdSeconds : null
  const trialEnd = status === 'trialing' ? facts.createdSeconds + 3 * 86_400 : null
  return {
    id,
    object: 'subscription',
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: facts.createdSeconds,
    billing_cycle_anchor_config: null,
    billing_mode: { flexible: null, type: 'classic' },
    billing_schedules: [],
    billing_thresholds: null,
    cancel_at: null,
    cancel_at_period_end: change === 'updated',
    canceled_at: endedAt,
    cancellation_details: {
      comment: null,
      feedback: null,
      feedback_option: null,
      reason: endedAt ? 'cancellation_requested' : null,
    },
    collection_method: 'charge_automatically',
    created: facts.createdSeconds,
    currency: 'eur',
    customer: facts.createId('cus_'),
    customer_account: null,
    days_until_due: null,
    default_payment_method: facts.createId('pm_'),
    default_source: null,
    default_tax_rates: [],
    description: null,
    discounts: [],
    ended_at: endedAt,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: 'self' },
    },
    items: {
      object: 'list',
      data: [createItem(facts, id)],
      has_more: false,
      url: `/v1/subscription_items?subscription=${id}`,
    },
    latest_invoice: facts.createId('in_'),
    livemode: facts.livemode,
    managed_payments: null,
    metadata: {},
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: null,
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: facts.createdSeconds,
    status,
    test_clock: null,
    transfer_data: null,
    trial_end: trialEnd,
    trial_settings: { end_behavior: { billing_cycle_anchor: null, missing_payment_method: 'create_invoice' } },
    trial_start: trialEnd === null ? null : facts.createdSeconds - 11 * 86_400,
  }
}

function createItem(facts: SampleFacts, subscription: string): Stripe.SubscriptionItem {
  const price = samplePrice(facts, '')
  return {
    id: facts.createId('si_'),
    object: 'subscription_item',
    billing_thresholds: null,
    created: facts.createdSeconds,
    current_period_end: facts.createdSeconds + MONTH_SECONDS,
    current_period_start: facts.createdSeconds,
    current_trial: null,
    discounts: [],
    metadata: {},
    plan: {
      id: price.id,
      object: 'plan',
      active: true,
      amount: 4200,
      amount_decimal: Stripe.Decimal.from('4200'),
      billing_scheme: 'per_unit',
      created: facts.createdSeconds,
      currency: 'eur',
      interval: 'month',
      interval_count: 1,
      livemode: facts.livemode,
      metadata: {},
      meter: null,
      nickname: 'Monthly',
      product: facts.createId('prod_'),
      tiers_mode: null,
      transform_usage: null,
      trial_period_days: null,
      usage_type: 'licensed',
    },
    price,
    quantity: 1,
    subscription,
    tax_rates: [],
  }
}
