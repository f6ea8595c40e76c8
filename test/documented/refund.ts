import type { HandlerContext } from '../../src/event.ts'
import { decimalAmount } from '../../src/handlers/built-in/format.ts'
import type { ObjectOf } from '../../src/handlers/built-in/related-object.ts'

/** Says how much was paid back, and why. */
export function refundCreated(refund: ObjectOf<'refund.created'>, ctx: HandlerContext): void {
  const amount = decimalAmount(refund.amount, refund.currency)
  ctx.log.info({ objectId: refund.id, amount, currency: refund.currency, reason: refund.reason }, 'refund created')
}
