import type { HandlerContext } from '../../event.ts'
import { decimalAmount, idOf } from './format.ts'
import { notFetched, type ObjectOf } from './related-object.ts'

type PaymentIntent = ObjectOf<'payment_intent.succeeded'>

/** Says how much was paid, by which customer and with what. */
export function paymentSucceeded(payment: PaymentIntent | undefined, ctx: HandlerContext): void {
  const facts = payment ? factsOf(payment) : notFetched
  ctx.log.info({ objectId: ctx.entry.objectId, ...facts }, 'payment succeeded')
}

/**
 * Warns of a payment that failed: why, and whether its customer can try again, with another payment method where the issuer says so
 * (`adviceCode`). Stripe's message is left out: it may tell of the customer.
 */
export function paymentFailed(payment: PaymentIntent | undefined, ctx: HandlerContext): void {
  const facts = payment ? failureOf(payment) : notFetched
  ctx.log.warn({ objectId: ctx.entry.objectId, ...facts }, 'payment failed')
}

function factsOf(payment: PaymentIntent) {
  return {
    // Received, not asked for: a partial capture succeeds with less.
    amount: decimalAmount(payment.amount_received ?? payment.amount, payment.currency),
    currency: payment.currency,
    status: payment.status,
    customer: idOf(payment.customer) ?? payment.customer_account ?? null,
    paymentMethod: idOf(payment.payment_method),
    // Always there by its type; API versions before 2022-11-15 may lack it.
    charge: idOf(payment.latest_charge),
  }
}

/** A payment in one of these goes on once its customer does; any other is over. */
const waitsForCustomer: readonly string[] = ['requires_payment_method', 'requires_confirmation', 'requires_action']

function failureOf(payment: PaymentIntent) {
  const error = payment.last_payment_error
  return {
    amount: decimalAmount(payment.amount, payment.currency),
    currency: payment.currency,
    status: payment.status,
    customerCanRetry: waitsForCustomer.includes(payment.status),
    code: error?.code ?? null,
    declineCode: error?.decline_code ?? null,
    adviceCode: error?.advice_code ?? null,
    customer: idOf(payment.customer) ?? payment.customer_account ?? null,
    paymentMethod: idOf(error?.payment_method),
  }
}
