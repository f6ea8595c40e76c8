import type Stripe from 'stripe'
import type { EventOf, SnapshotType } from '../event.ts'

type SnapshotObject = { [T in SnapshotType]: EventOf<T>['data']['object'] }[SnapshotType]
/** What Stripe calls the kind of an object: `payout`, `checkout.session`. */
type ObjectName = SnapshotObject['object']
type Named<N extends ObjectName> = Extract<SnapshotObject, { object: N }>
/** Asks Stripe for the object of an event of that account as it is now; null when it has no address of its own there. */
type Fetch<N extends ObjectName> = (
  stripe: Stripe,
  object: Named<N>,
  account: string | undefined,
) => Promise<{ readonly object: N }> | null

const nowhere = (): null => null
/** The id behind an expandable field. */
const idOf = (field: string | { readonly id: string }): string => (typeof field === 'string' ? field : field.id)

/** A bank account or card: a source of a customer, or an external account of an account. */
function fetchSource<N extends 'bank_account' | 'card'>(
  stripe: Stripe,
  { id, customer, account }: Stripe.BankAccount | Stripe.Card,
  eventAccount: string | undefined,
): Promise<Named<N>> | null {
  const owner = account ?? eventAccount
  const asked = customer
    ? stripe.customers.retrieveSource(idOf(customer), id)
    : owner && stripe.accounts.retrieveExternalAccount(idOf(owner), id)
  // An id is of one kind of object only.
  return asked ? (asked as Promise<unknown> as Promise<Named<N>>) : null
}

/** Kinds of which an account, or a customer, has one: they have no id. */
export const singletons: readonly string[] = [
  'balance',
  'balance_settings',
  'cash_balance',
  'tax.settings',
] satisfies ObjectName[]

/** How to fetch each kind of object that a snapshot event can be about. A kind that an update of the SDK adds fails to compile. */
export const fetchers = {
  account: (stripe, { id }) => stripe.accounts.retrieve(id),
  application: nowhere,
  application_fee: (stripe, { id }) => stripe.applicationFees.retrieve(id),
  'apps.install': (stripe, { id }) => stripe.apps.installs.retrieve(id),
  balance: (stripe) => stripe.balance.retrieve(),
  balance_settings: (stripe) => stripe.balanceSettings.retrieve(),
  bank_account: fetchSource,
  'billing.alert_triggered': nowhere,
  'billing.credit_balance_transaction': (stripe, { id }) => stripe.billing.creditBalanceTransactions.retrieve(id),
  'billing.credit_grant': (stripe, { id }) => stripe.billing.creditGrants.retrieve(id),
  'billing.meter': (stripe, { id }) => stripe.billing.meters.retrieve(id),
  'billing_portal.configuration': (stripe, { id }) => stripe.billingPortal.configurations.retrieve(id),
  'billing_portal.session': nowhere,
  capability: (stripe, { id, account }) => stripe.accounts.retrieveCapability(idOf(account), id),
  card: fetchSource,
  cash_balance: (stripe, { customer }) => stripe.customers.retrieveCashBalance(customer),
  charge: (stripe, { id }) => stripe.charges.retrieve(id),
  'checkout.session': (stripe, { id }) => stripe.checkout.sessions.retrieve(id),
  'climate.order': (stripe, { id }) => stripe.climate.orders.retrieve(id),
  'climate.product': (stripe, { id }) => stripe.climate.products.retrieve(id),
  coupon: (stripe, { id }) => stripe.coupons.retrieve(id),
  credit_note: (stripe, { id }) => stripe.creditNotes.retrieve(id),
  customer: (stripe, { id }) => stripe.customers.retrieve(id),
  customer_cash_balance_transaction: (stripe, { id, customer }) =>
    stripe.customers.retrieveCashBalanceTransaction(idOf(customer), id),
  discount: nowhere,
  dispute: (stripe, { id }) => stripe.disputes.retrieve(id),
  'entitlements.active_entitlement_summary': nowhere,
  fee_refund: (stripe, { id, fee }) => stripe.applicationFees.retrieveRefund(idOf(fee), id),
  file: (stripe, { id }) => stripe.files.retrieve(id),
  'financial_connections.account': (stripe, { id }) => stripe.financialConnections.accounts.retrieve(id),
  'financial_connections.authorization': nowhere,
  'identity.verification_session': (stripe, { id }) => stripe.identity.verificationSessions.retrieve(id),
  invoice: (stripe, { id }) => stripe.invoices.retrieve(id),
  invoice_payment: (stripe, { id }) => stripe.invoicePayments.retrieve(id),
  invoiceitem: (stripe, { id }) => stripe.invoiceItems.retrieve(id),
  'issuing.authorization': (stripe, { id }) => stripe.issuing.authorizations.retrieve(id),
  'issuing.card': (stripe, { id }) => stripe.issuing.cards.retrieve(id),
  'issuing.cardholder': (stripe, { id }) => stripe.issuing.cardholders.retrieve(id),
  'issuing.dispute': (stripe, { id }) => stripe.issuing.disputes.retrieve(id),
  'issuing.personalization_design': (stripe, { id }) => stripe.issuing.personalizationDesigns.retrieve(id),
  'issuing.token': (stripe, { id }) => stripe.issuing.tokens.retrieve(id),
  'issuing.transaction': (stripe, { id }) => stripe.issuing.transactions.retrieve(id),
  mandate: (stripe, { id }) => stripe.mandates.retrieve(id),
  payment_intent: (stripe, { id }) => stripe.paymentIntents.retrieve(id),
  payment_link: (stripe, { id }) => stripe.paymentLinks.retrieve(id),
  payment_method: (stripe, { id }) => stripe.paymentMethods.retrieve(id),
  payout: (stripe, { id }) => stripe.payouts.retrieve(id),
  person: (stripe, { id, account }) => stripe.accounts.retrievePerson(account, id),
  plan: (stripe, { id }) => stripe.plans.retrieve(id),
  price: (stripe, { id }) => stripe.prices.retrieve(id),
  product: (stripe, { id }) => stripe.products.retrieve(id),
  promotion_code: (stripe, { id }) => stripe.promotionCodes.retrieve(id),
  quote: (stripe, { id }) => stripe.quotes.retrieve(id),
  'radar.early_fraud_warning': (stripe, { id }) => stripe.radar.earlyFraudWarnings.retrieve(id),
  refund: (stripe, { id }) => stripe.refunds.retrieve(id),
  'reporting.report_run': (stripe, { id }) => stripe.reporting.reportRuns.retrieve(id),
  'reporting.report_type': (stripe, { id }) => stripe.reporting.reportTypes.retrieve(id),
  'reserve.hold': nowhere,
  'reserve.plan': nowhere,
  'reserve.release': nowhere,
  review: (stripe, { id }) => stripe.reviews.retrieve(id),
  scheduled_query_run: (stripe, { id }) => stripe.sigma.scheduledQueryRuns.retrieve(id),
  setup_intent: (stripe, { id }) => stripe.setupIntents.retrieve(id),
  source: (stripe, { id }) => stripe.sources.retrieve(id),
  source_mandate_notification: nowhere,
  source_transaction: nowhere,
  subscription: (stripe, { id }) => stripe.subscriptions.retrieve(id),
  subscription_schedule: (stripe, { id }) => stripe.subscriptionSchedules.retrieve(id),
  'tax.settings': (stripe) => stripe.tax.settings.retrieve(),
  tax_id: (stripe, { id }) => stripe.taxIds.retrieve(id),
  tax_rate: (stripe, { id }) => stripe.taxRates.retrieve(id),
  'terminal.reader': (stripe, { id }) => stripe.terminal.readers.retrieve(id),
  'test_helpers.test_clock': (stripe, { id }) => stripe.testHelpers.testClocks.retrieve(id),
  'three_d_secure.authentication': (stripe, { id }) => stripe.threeDSecure.authentications.retrieve(id),
  topup: (stripe, { id }) => stripe.topups.retrieve(id),
  transfer: (stripe, { id }) => stripe.transfers.retrieve(id),
  'treasury.credit_reversal': (stripe, { id }) => stripe.treasury.creditReversals.retrieve(id),
  'treasury.debit_reversal': (stripe, { id }) => stripe.treasury.debitReversals.retrieve(id),
  'treasury.financial_account': (stripe, { id }) => stripe.treasury.financialAccounts.retrieve(id),
  'treasury.inbound_transfer': (stripe, { id }) => stripe.treasury.inboundTransfers.retrieve(id),
  'treasury.outbound_payment': (stripe, { id }) => stripe.treasury.outboundPayments.retrieve(id),
  'treasury.outbound_transfer': (stripe, { id }) => stripe.treasury.outboundTransfers.retrieve(id),
  'treasury.received_credit': (stripe, { id }) => stripe.treasury.receivedCredits.retrieve(id),
  'treasury.received_debit': (stripe, { id }) => stripe.treasury.receivedDebits.retrieve(id),
} satisfies { readonly [N in ObjectName]: Fetch<N> }
