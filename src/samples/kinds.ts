import type { SampleFacts } from './facts.ts'

/** What every object has that events of a prefix are about; of those in full-objects.ts, only where it is. */
export interface Kind {
  /** Stripe's `object`. Left out, it is the prefix. */
  readonly object?: string
  /** What its id begins with; all of it after `=`. Left out, it has none. */
  readonly id?: string
  /** Fields that every one has, by their usual values. */
  readonly with?: readonly FieldName[]
  readonly more?: (facts: SampleFacts) => object
  /** Its `status`: what the type ends in if that stands here, else the first. */
  readonly statuses?: readonly string[]
  /** Its `status` after types that end otherwise. */
  readonly becomes?: Readonly<Record<string, string>>
  readonly lacks?: readonly ('created' | 'livemode')[]
  /** Where it is fetched from, with its fields after colons; null: thin events do not name it. Default: `/v1/<object>s/:id`. */
  readonly path?: string | null
}

type FieldName = keyof typeof fieldValues

/** Text that ends in an underscore is what an id begins with. */
export const fieldValues = {
  active: true,
  amount: 4200,
  amount_subtotal: 4200,
  amount_total: 4200,
  app: 'com.example.app',
  application: 'ca_',
  card: 'ic_',
  charge: 'ch_',
  credit_grant: 'credgr_',
  currency: 'eur',
  customer: 'cus_',
  fee: 'fee_',
  financial_account: 'fa_',
  invoice: 'in_',
  payment_method: 'pm_',
  payout_method: 'gbba_',
  received_credit: 'rc_',
  received_debit: 'rd_',
  report_type: 'balance.summary.1',
  source: 'src_',
  transaction: 'trxn_',
} as const

const v2Amount = () => ({ amount: { value: 4200, currency: 'eur' } })
const ofMoney = ['amount', 'currency'] as const
const outbound = ['processing', 'canceled', 'failed', 'posted', 'returned'] as const

/** Prefix of event types, without `v1.` → what they are about. The longest one that fits a type counts. */
// biome-ignore format: a table, one row to a line where it fits.
export const kinds = {
  'account': {},
  'account.application': { object: 'application', path: null },
  'account.external_account': { object: 'bank_account', path: null },
  'application_fee': { id: 'fee_', with: [...ofMoney, 'application', 'charge'], more: ofAccount },
  'application_fee.refund': { object: 'fee_refund', id: 'fr_', with: [...ofMoney, 'fee'], lacks: ['livemode'], path: '/v1/application_fees/:fee/refunds/:id' },
  'apps.install': { id: 'ainst_', with: ['app'], more: ofAccount, statuses: ['installed'] },
  'balance': { path: '/v1/balance' },
  'balance_settings': { lacks: ['created', 'livemode'], path: '/v1/balance_settings' },
  'billing.alert': { object: 'billing.alert_triggered', with: ['customer'], more: ofAlert },
  'billing.credit_balance_transaction': { id: 'cbtxn_', with: ['credit_grant'] },
  'billing.credit_grant': { id: 'credgr_', with: ['customer'] },
  'billing.meter': { id: 'mtr_', statuses: ['active'], becomes: { deactivated: 'inactive' } },
  'billing_portal.configuration': { id: 'bpc_', with: ['active'] },
  'billing_portal.session': { id: 'bps_', with: ['customer'], path: null },
  'capability': { path: '/v1/accounts/:account/capabilities/:id' },
  'cash_balance': { with: ['customer'], lacks: ['created'], path: '/v1/customers/:customer/cash_balance' },
  'charge': {},
  'charge.dispute': { object: 'dispute' },
  'charge.refund': { object: 'refund' },
  'checkout.session': {},
  'climate.order': { id: 'climorder_', with: ['amount_subtotal', 'amount_total', 'currency'], more: () => ({ product: 'climsku_frontier_offtake_portfolio' }), statuses: ['confirmed', 'canceled', 'delivered'] },
  'climate.product': { id: 'climsku_' },
  'coupon': { id: '' },
  'credit_note': { id: 'cn_', with: [...ofMoney, 'customer', 'invoice'], statuses: ['issued'], becomes: { voided: 'void' } },
  'customer': {},
  'customer.discount': { object: 'discount', id: 'di_', with: ['customer'], more: ofCoupon, lacks: ['created', 'livemode'], path: '/v1/customers/:customer/discount' },
  'customer.source': { object: 'card', id: 'card_', with: ['customer'], lacks: ['created', 'livemode'] },
  'customer.subscription': { object: 'subscription' },
  'customer.tax_id': { object: 'tax_id', id: 'txi_', with: ['customer'] },
  'customer_cash_balance_transaction': { id: 'ccsbtxn_', with: ['currency', 'customer'], path: '/v1/customers/:customer/cash_balance_transactions/:id' },
  'entitlements.active_entitlement_summary': { with: ['customer'], lacks: ['created'], path: null },
  'file': { id: 'file_', lacks: ['livemode'] },
  'financial_connections.account': { id: 'fca_', statuses: ['active', 'disconnected'], becomes: { deactivated: 'inactive' } },
  'financial_connections.authorization': { id: 'fcauth_', statuses: ['active'], lacks: ['created'] },
  'identity.verification_session': { id: 'vs_', statuses: ['requires_input', 'canceled', 'processing', 'verified'] },
  'invoice': {},
  'invoice_payment': { id: 'inpay_', with: ['currency', 'invoice'], statuses: ['paid', 'canceled', 'open'] },
  'invoiceitem': { id: 'ii_', with: [...ofMoney, 'customer'], lacks: ['created'] },
  'issuing_authorization': { object: 'issuing.authorization' },
  'issuing_card': { object: 'issuing.card', id: 'ic_', with: ['currency'], statuses: ['active'] },
  'issuing_cardholder': { object: 'issuing.cardholder', id: 'ich_', statuses: ['active'] },
  'issuing_dispute': { object: 'issuing.dispute', id: 'idp_', with: ofMoney, more: ofIssuingTransaction, statuses: ['submitted'], becomes: { created: 'unsubmitted', closed: 'won' } },
  'issuing_personalization_design': { object: 'issuing.personalization_design', id: 'ipcd_', statuses: ['review', 'rejected'], becomes: { activated: 'active', deactivated: 'inactive' } },
  'issuing_token': { object: 'issuing.token', id: 'intok_', with: ['card'], statuses: ['active'] },
  'issuing_transaction': { object: 'issuing.transaction', id: 'ipi_', with: [...ofMoney, 'card'] },
  'mandate': { id: 'mandate_', with: ['payment_method'], statuses: ['inactive'], lacks: ['created'] },
  'payment_intent': {},
  'payment_link': { id: 'plink_', with: ['active', 'currency'], lacks: ['created'] },
  'payment_method': {},
  'payout': {},
  'person': { path: '/v1/accounts/:account/persons/:id' },
  'plan': { id: 'plan_', with: ['active', 'currency'] },
  'price': {},
  'product': {},
  'promotion_code': { id: 'promo_', with: ['active'] },
  'quote': { id: 'qt_', with: ['amount_subtotal', 'amount_total'], statuses: ['draft', 'accepted', 'canceled'], becomes: { finalized: 'open' } },
  'radar.early_fraud_warning': { id: 'issfr_', with: ['charge'] },
  'refund': {},
  'reporting.report_run': { id: 'frr_', with: ['report_type'], statuses: ['succeeded', 'failed'] },
  'reporting.report_type': { id: '=balance.summary.1', lacks: ['created'] },
  'reserve.hold': { id: 'reshold_', with: ofMoney },
  'reserve.plan': { id: 'resplan_', statuses: ['active', 'disabled', 'expired'] },
  'reserve.release': { id: 'resrelease_', with: ofMoney },
  'review': { id: 'prv_', with: ['charge'] },
  'setup_intent': {},
  'sigma.scheduled_query_run': { object: 'scheduled_query_run', id: 'sqr_', statuses: ['completed'], path: '/v1/sigma/scheduled_query_runs/:id' },
  'source': { id: 'src_', statuses: ['pending', 'canceled', 'chargeable', 'failed'] },
  'source.mandate_notification': { object: 'source_mandate_notification', id: 'srcmn_', more: ofSource, statuses: ['submitted'] },
  'source.transaction': { object: 'source_transaction', id: 'srctxn_', with: [...ofMoney, 'source'], statuses: ['succeeded'] },
  'subscription_schedule': { id: 'sub_sched_', with: ['customer'], statuses: ['active', 'canceled', 'completed', 'released'], becomes: { aborted: 'canceled', created: 'not_started' } },
  'tax.settings': { statuses: ['active'], lacks: ['created'], path: '/v1/tax/settings' },
  'tax_rate': { id: 'txr_', with: ['active'] },
  'terminal.reader': { id: 'tmr_', statuses: ['online'], lacks: ['created'] },
  'test_helpers.test_clock': { id: 'clock_', statuses: ['ready', 'advancing', 'internal_failure'] },
  'three_d_secure.authentication': { id: 'tdsa_', with: ['payment_method'], statuses: ['requires_submission', 'canceled', 'failed', 'requires_challenge', 'succeeded'], becomes: { challenge_started: 'requires_challenge', errored: 'error' } },
  'topup': { id: 'tu_', with: ofMoney, statuses: ['pending', 'canceled', 'failed', 'reversed', 'succeeded'] },
  'transfer': { id: 'tr_', with: ofMoney },
  'treasury.credit_reversal': { id: 'credrev_', with: [...ofMoney, 'financial_account', 'received_credit'], statuses: ['processing', 'posted'] },
  'treasury.debit_reversal': { id: 'debrev_', with: [...ofMoney, 'financial_account', 'received_debit'], statuses: ['processing'], becomes: { completed: 'succeeded' } },
  'treasury.financial_account': { id: 'fa_', statuses: ['open', 'closed'] },
  'treasury.inbound_transfer': { id: 'ibt_', with: [...ofMoney, 'financial_account'], statuses: ['processing', 'canceled', 'failed', 'succeeded'] },
  'treasury.outbound_payment': { id: 'obp_', with: [...ofMoney, 'financial_account', 'transaction'], statuses: outbound },
  'treasury.outbound_transfer': { id: 'obt_', with: [...ofMoney, 'financial_account', 'transaction'], statuses: outbound },
  'treasury.received_credit': { id: 'rc_', with: [...ofMoney, 'financial_account'], statuses: ['succeeded', 'failed'] },
  'treasury.received_debit': { id: 'rd_', with: [...ofMoney, 'financial_account'], statuses: ['succeeded'] },
  'v2.commerce.product_catalog.imports': { object: 'v2.commerce.product_catalog_import', id: 'pcimprt_', statuses: ['processing', 'failed', 'succeeded', 'succeeded_with_errors'], path: '/v2/commerce/product_catalog/imports/:id' },
  'v2.core.account': { id: 'acct_' },
  'v2.core.account_link': { object: 'v2.core.account_link', path: null },
  'v2.core.account_person': { id: 'person_', more: ofAccount, path: '/v2/core/accounts/:account/persons/:id' },
  'v2.core.event_destination': { id: 'ed_', statuses: ['enabled'] },
  'v2.core.health.event_generation_failure': { path: null },
  'v2.money_management.adjustment': { id: 'adj_', with: ['financial_account'], more: v2Amount },
  'v2.money_management.financial_account': { id: 'fa_', statuses: ['open'] },
  'v2.money_management.financial_address': { id: 'finaddr_', with: ['financial_account'], statuses: ['pending', 'failed'], becomes: { activated: 'active' }, path: '/v2/money_management/financial_addresses/:id' },
  'v2.money_management.inbound_transfer': { id: 'ibt_', more: v2Amount },
  'v2.money_management.outbound_payment': { id: 'obp_', more: v2Amount, statuses: outbound },
  'v2.money_management.payout_intent': { id: 'poi_', more: v2Amount, statuses: ['pending', 'canceled', 'posted', 'processing', 'requires_action'] },
  'v2.money_management.payout_method': { id: 'gbba_' },
  'v2.money_management.received_credit': { id: 'rc_', with: ['financial_account'], more: v2Amount, statuses: ['pending', 'failed', 'returned', 'succeeded'], becomes: { available: 'succeeded' } },
  'v2.money_management.recipient_verification': { id: 'matchv_', with: ['payout_method'], statuses: ['awaiting_acknowledgement'] },
  'v2.money_management.transaction': { id: 'trxn_', with: ['financial_account'], more: v2Amount, statuses: ['posted'] },
} as const satisfies Readonly<Record<string, Kind>>

export type KindName = keyof typeof kinds

function ofAccount({ account }: SampleFacts) {
  return { account }
}

function ofAlert({ createId, livemode }: SampleFacts) {
  const id = createId('alrt_')
  const what = { alert_type: 'usage_threshold', livemode, status: 'active', title: 'Many calls', usage_threshold: null }
  return { alert: { id, object: 'billing.alert', ...what }, value: 1000 }
}

function ofCoupon({ createId, createdSeconds }: SampleFacts) {
  return { source: { coupon: createId(''), type: 'coupon' }, start: createdSeconds }
}

function ofIssuingTransaction({ createId }: SampleFacts) {
  return { transaction: createId('ipi_') }
}

function ofSource({ createId }: SampleFacts) {
  return { source: { id: createId('src_'), object: 'source' } }
}
