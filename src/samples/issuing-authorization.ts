import type Stripe from 'stripe'
import type { SampleFacts } from './facts.ts'

/** 42.00 € that a shop asks of a card that was issued; at the request it waits for a decision. */
export function sampleIssuingAuthorization(facts: SampleFacts, change: string): Stripe.Issuing.Authorization {
  const isRequest = change === 'request'
  const card = createCard(facts)
  return {
    id: facts.createId('iauth_'),
    object: 'issuing.authorization',
    amount: isRequest ? 0 : 4200,
    amount_details: { atm_fee: null, cashback_amount: null },
    approved: !isRequest,
    authorization_method: 'online',
    balance_transactions: [],
    card,
    card_presence: null,
    cardholder: card.cardholder.id,
    created: facts.createdSeconds,
    currency: 'eur',
    fleet: null,
    fuel: null,
    livemode: facts.livemode,
    merchant_amount: isRequest ? 0 : 4200,
    merchant_currency: 'eur',
    merchant_data: {
      category: 'art_dealers_and_galleries',
      category_code: '5971',
      city: 'Dublin',
      country: 'IE',
      name: 'Rosen Ceramics',
      network_id: '1234567890',
      postal_code: 'D02',
      state: null,
      tax_id: null,
      terminal_id: null,
      url: null,
    },
    metadata: {},
    network_data: null,
    pending_request: isRequest ? pending : null,
    request_history: [],
    status: 'pending',
    transactions: [],
    verification_data: {
      address_line1_check: 'not_provided',
      address_postal_code_check: 'match',
      authentication_exemption: null,
      cvc_check: 'match',
      expiry_check: 'match',
      postal_code: 'D02',
      three_d_secure: null,
    },
    verified_by_fraud_challenge: null,
    wallet: null,
  }
}

const pending: Stripe.Issuing.Authorization.PendingRequest = {
  amount: 4200,
  amount_details: { atm_fee: null, cashback_amount: null },
  currency: 'eur',
  is_amount_controllable: false,
  merchant_amount: 4200,
  merchant_currency: 'eur',
  network_risk_score: null,
}

const unlimited = {
  allowed_card_presences: [],
  allowed_categories: null,
  allowed_merchant_countries: null,
  blocked_card_presences: [],
  blocked_categories: null,
  blocked_merchant_countries: null,
  spending_limits: [],
  spending_limits_currency: null,
}

function createCard(facts: SampleFacts): Stripe.Issuing.Card {
  return {
    id: facts.createId('ic_'),
    object: 'issuing.card',
    brand: 'Visa',
    cancellation_reason: null,
    cardholder: createCardholder(facts),
    created: facts.createdSeconds - 90 * 86_400,
    currency: 'eur',
    exp_month: 8,
    exp_year: 2031,
    last4: '4242',
    latest_fraud_warning: null,
    lifecycle_controls: null,
    livemode: facts.livemode,
    metadata: {},
    personalization_design: null,
    replaced_by: null,
    replacement_for: null,
    replacement_reason: null,
    second_line: null,
    shipping: null,
    spending_controls: unlimited,
    status: 'active',
    type: 'virtual',
    wallets: null,
  }
}

function createCardholder(facts: SampleFacts): Stripe.Issuing.Cardholder {
  return {
    id: facts.createId('ich_'),
    object: 'issuing.cardholder',
    billing: {
      address: { city: 'Dublin', country: 'IE', line1: '1 Grand Canal', line2: null, postal_code: 'D02', state: null },
    },
    company: null,
    created: facts.createdSeconds - 90 * 86_400,
    email: 'jenny@example.com',
    individual: null,
    livemode: facts.livemode,
    metadata: {},
    name: 'Jenny Rosen',
    phone_number: null,
    preferred_locales: [],
    requirements: { disabled_reason: null, past_due: [] },
    spending_controls: null,
    status: 'active',
    type: 'individual',
  }
}
