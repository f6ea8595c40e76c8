import type { HandlerContext } from '../../event.ts'
import { idOf } from './format.ts'
import { notFetched, type ObjectOf } from './related-object.ts'

type PaymentMethod = ObjectOf<'payment_method.attached'>

/** Says which customer got which kind of payment method. */
export function paymentMethodAttached(method: PaymentMethod | undefined, ctx: HandlerContext): void {
  const facts = method ? factsOf(method) : notFetched
  ctx.log.info({ objectId: ctx.entry.objectId, ...facts }, 'payment method attached')
}

function factsOf(method: PaymentMethod) {
  return {
    kind: method.type,
    brand: method.card?.brand ?? null,
    customer: idOf(method.customer) ?? method.customer_account ?? null,
  }
}
