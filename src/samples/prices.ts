import Stripe from 'stripe'
import type { SampleFacts } from './facts.ts'

/** A glaze that is sold by subscription. */
export function sampleProduct(facts: SampleFacts, change: string): Stripe.Product {
  return {
    id: facts.createId('prod_'),
    object: 'product',
    active: change !== 'deactivated',
    created: facts.createdSeconds,
    default_price: facts.createId('price_'),
    description: 'A new glaze each month',
    images: [],
    livemode: facts.livemode,
    marketing_features: [{ name: 'Food safe' }],
    metadata: {},
    name: 'Glaze of the month',
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    tax_details: null,
    type: 'service',
    unit_label: null,
    updated: facts.createdSeconds,
    url: null,
  }
}

/** 42.00 € each month. */
export function samplePrice(facts: SampleFacts, change: string): Stripe.Price {
  return {
    id: facts.createId('price_'),
    object: 'price',
    active: change !== 'deactivated',
    billing_scheme: 'per_unit',
    created: facts.createdSeconds,
    currency: 'eur',
    custom_unit_amount: null,
    livemode: facts.livemode,
    lookup_key: 'glaze_monthly',
    metadata: {},
    nickname: 'Monthly',
    product: facts.createId('prod_'),
    recurring: { interval: 'month', interval_count: 1, meter: null, trial_period_days: null, usage_type: 'licensed' },
    tax_behavior: 'inclusive',
    tiers_mode: null,
    transform_quantity: null,
    type: 'recurring',
    unit_amount: 4200,
    unit_amount_decimal: Stripe.Decimal.from('4200'),
  }
}
