import type { HandlerContext } from '../../event.ts'
import { decimalAmount, idOf } from './format.ts'
import { notFetched, type ObjectOf } from './related-object.ts'

type PaymentIntent = ObjectOf<'payment_intent.succeeded'>

/** Says how much was paid, by which customer and with what. */
export function paymentSucceeded(payment: PaymentIntent | undefined, ctx: HandlerContext): void {
  const facts = payment ? factsOf(payment) : notFetched
  ctx.log.info({ objectId: ctx.entry.objectId, ...facts }, 'payment succeeded')
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
