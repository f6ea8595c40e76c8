/** Where the name of a type does not lead to a list of its objects; null: there is none that needs no other object's id. */
const unlike: Readonly<Record<string, string | null>> = {
  'v1.account.application': null,
  'v1.account.external_account': null,
  'v1.application_fee.refund': null,
  'v1.balance': '/v1/balance',
  'v1.billing.credit_balance_transaction': null,
  'v1.billing_portal.session': null,
  'v1.capability': null,
  'v1.cash_balance': null,
  'v1.charge.dispute': '/v1/disputes',
  'v1.charge.refund': '/v1/refunds',
  'v1.customer.discount': null,
  'v1.customer.subscription': '/v1/subscriptions',
  'v1.customer.tax_id': '/v1/tax_ids',
  'v1.customer_cash_balance_transaction': null,
  'v1.entitlements.active_entitlement_summary': null,
  'v1.issuing_token': null,
  'v1.mandate': null,
  'v1.person': null,
  'v1.source': null,
  'v2.core.account_link': null,
  'v2.core.account_person': null,
  'v2.core.event_destination': null,
  'v2.money_management.financial_address': '/v2/money_management/financial_addresses',
  'v2.money_management.recipient_verification': null,
}

/**
 * Path of the list, or of the one object, that a thin type's objects are read from: `v1.payment_intent.succeeded` →
 * `/v1/payment_intents`. Undefined when there is none that can be asked for by itself.
 */
export function resourceOf(type: string): string | undefined {
  // `v2.core.account[identity].updated` is about the account.
  const name = type.replace(/\[[^\]]*\]/, '').replace(/\.[^.]+$/, '')
  if (Object.hasOwn(unlike, name)) return unlike[name] ?? undefined
  const path = `/${name.replace(/^v1\.issuing_/, 'v1.issuing.').replaceAll('.', '/')}`
  return path.endsWith('s') ? path : `${path}s`
}
