import { sampleAccount, sampleApplication, sampleBankAccount, sampleCapability } from './accounts.ts'
import { sampleCharge, sampleRefund } from './charges.ts'
import { sampleCheckoutSession } from './checkout-session.ts'
import { sampleCustomer, sampleSetupIntent } from './customers.ts'
import { sampleDispute } from './dispute.ts'
import type { SampleFacts } from './facts.ts'
import { sampleInvoice } from './invoice.ts'
import { sampleIssuingAuthorization } from './issuing-authorization.ts'
import type { KindName } from './kinds.ts'
import { samplePaymentIntent, samplePaymentMethod } from './payments.ts'
import { sampleBalance, samplePayout } from './payouts.ts'
import { samplePerson } from './person.ts'
import { samplePrice, sampleProduct } from './prices.ts'
import { sampleSubscription } from './subscription.ts'

/** The objects that most handlers are for, with every field that the SDK's types have; `change` is what happened to them. */
export const fullObjects: Partial<Record<KindName, (facts: SampleFacts, change: string) => object>> = {
  account: sampleAccount,
  'account.application': sampleApplication,
  'account.external_account': sampleBankAccount,
  balance: sampleBalance,
  capability: sampleCapability,
  charge: sampleCharge,
  'charge.dispute': sampleDispute,
  'charge.refund': sampleRefund,
  'checkout.session': sampleCheckoutSession,
  customer: sampleCustomer,
  'customer.subscription': sampleSubscription,
  invoice: sampleInvoice,
  issuing_authorization: sampleIssuingAuthorization,
  payment_intent: samplePaymentIntent,
  payment_method: samplePaymentMethod,
  payout: samplePayout,
  person: samplePerson,
  price: samplePrice,
  product: sampleProduct,
  refund: sampleRefund,
  setup_intent: sampleSetupIntent,
}
