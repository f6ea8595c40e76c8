import type Stripe from 'stripe'
import type { SampleFacts } from './facts.ts'
import { nothingDue } from './person.ts'

const dueFields = ['individual.verification.document', 'external_account']

/** An account whose payouts stopped because of requirements that are past due. */
export function sampleAccount(facts: SampleFacts): Stripe.Account {
  return {
    id: facts.account,
    object: 'account',
    business_profile: sampleBusinessProfile,
    business_type: 'individual',
    capabilities: { card_payments: 'active', transfers: 'active' },
    charges_enabled: true,
    controller: {
      fees: { payer: 'application_express' },
      is_controller: true,
      losses: { payments: 'application' },
      requirement_collection: 'stripe',
      stripe_dashboard: { type: 'express' },
      type: 'application',
    },
    country: 'IE',
    created: facts.createdSeconds - 90 * 86_400,
    default_currency: 'eur',
    details_submitted: true,
    email: 'jenny@example.com',
    external_accounts: {
      object: 'list',
      data: [],
      has_more: false,
      url: `/v1/accounts/${facts.account}/external_accounts`,
    },
    future_requirements: { ...nothingDue, current_deadline: null, disabled_reason: null },
    metadata: {},
    payouts_enabled: false,
    requirements: {
      ...nothingDue,
      current_deadline: facts.createdSeconds - 60,
      currently_due: dueFields,
      disabled_reason: 'requirements.past_due',
      eventually_due: dueFields,
      past_due: dueFields,
    },
    settings: sampleSettings,
    tos_acceptance: { date: facts.createdSeconds - 90 * 86_400 },
    type: 'express',
  }
}

const sampleBusinessProfile: Stripe.Account.BusinessProfile = {
  annual_revenue: null,
  estimated_worker_count: null,
  mcc: '5734',
  minority_owned_business_designation: null,
  name: 'Rosen Ceramics',
  product_description: 'Hand-made ceramics',
  specified_commercial_transactions_act_url: null,
  support_address: null,
  support_email: 'support@example.com',
  support_phone: null,
  support_url: null,
  url: 'https://example.com',
}

const sampleSettings: Stripe.Account.Settings = {
  bacs_debit_payments: { display_name: null, service_user_number: null },
  branding: { icon: null, logo: null, primary_color: null, secondary_color: null },
  card_issuing: { tos_acceptance: { date: null, ip: null } },
  card_payments: {
    decline_on: { avs_failure: false, cvc_failure: false },
    statement_descriptor_prefix: 'ROSEN',
    statement_descriptor_prefix_kana: null,
    statement_descriptor_prefix_kanji: null,
  },
  dashboard: { display_name: 'Rosen Ceramics', timezone: 'Europe/Dublin' },
  invoices: { default_account_tax_ids: null, hosted_payment_method_save: 'offer' },
  payments: {
    statement_descriptor: 'ROSEN CERAMICS',
    statement_descriptor_kana: null,
    statement_descriptor_kanji: null,
    statement_descriptor_prefix_kana: null,
    statement_descriptor_prefix_kanji: null,
  },
  payouts: {
    debit_negative_balances: true,
    schedule: { delay_days: 7, interval: 'daily' },
    statement_descriptor: null,
  },
  sepa_debit_payments: {},
}

/** A bank account for payouts that Stripe marked as errored after a payout came back. */
export function sampleBankAccount(facts: SampleFacts): Stripe.BankAccount {
  return {
    id: facts.createId('ba_'),
    object: 'bank_account',
    account: facts.account,
    account_holder_name: 'Jenny Rosen',
    account_holder_type: 'individual',
    account_type: null,
    available_payout_methods: ['standard'],
    bank_name: 'STRIPE TEST BANK',
    country: 'IE',
    currency: 'eur',
    default_for_currency: true,
    fingerprint: 'Rk7cPz1Vb9mQe4Ty',
    future_requirements: { currently_due: [], errors: [], past_due: [], pending_verification: [] },
    last4: '3000',
    metadata: {},
    requirements: { currently_due: [], errors: [], past_due: [], pending_verification: [] },
    routing_number: '110000000',
    status: 'errored',
  }
}

/** The platform's application, which the account has just disconnected. */
export function sampleApplication(facts: SampleFacts): Stripe.Application {
  return { id: facts.createId('ca_'), object: 'application', name: 'Example Platform' }
}

/** Card payments, which the account may take. */
export function sampleCapability(facts: SampleFacts): Stripe.Capability {
  return {
    id: 'card_payments',
    object: 'capability',
    account: facts.account,
    future_requirements: { ...nothingDue, current_deadline: null, disabled_reason: null },
    requested: true,
    requested_at: facts.createdSeconds - 86_400,
    requirements: { ...nothingDue, current_deadline: null, disabled_reason: null },
    status: 'active',
  }
}
