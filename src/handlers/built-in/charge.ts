import type { HandlerContext } from '../../event.ts'
import { decimalAmount, idOf } from './format.ts'
import { notFetched, type ObjectOf } from './related-object.ts'

type Charge = ObjectOf<'charge.refunded'>

/** Says how much of a charge has been paid back, over all its refunds, and whether that is all of it. */
export function chargeRefunded(charge: Charge | undefined, ctx: HandlerContext): void {
  const facts = charge ? factsOf(charge) : notFetched
  ctx.log.info({ objectId: ctx.entry.objectId, ...facts }, 'charge refunded')
}

function factsOf(charge: Charge) {
  return {
    amount: decimalAmount(charge.amount, charge.currency),
    amountRefunded: decimalAmount(charge.amount_refunded, charge.currency),
    currency: charge.currency,
    // What was authorized and not captured can't be refunded: Stripe says when nothing is left.
    refunded: charge.refunded ? 'in full' : 'in part',
    customer: idOf(charge.customer),
    paymentIntent: idOf(charge.payment_intent),
  }
}
