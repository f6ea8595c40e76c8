import type { HandlerContext } from '../../event.ts'
import { decimalAmount, idOf, isoTime } from './format.ts'
import { notFetched, type ObjectOf } from './related-object.ts'

type Invoice = ObjectOf<'invoice.payment_failed'>

/**
 * Warns of an invoice that could not be charged: how often it was tried, and when Stripe tries next (null: never again by itself). The
 * page where it can be paid is for its customer alone, and stays out of the log.
 */
export function invoicePaymentFailed(invoice: Invoice | undefined, ctx: HandlerContext): void {
  const facts = invoice ? factsOf(invoice) : notFetched
  ctx.log.warn({ objectId: ctx.entry.objectId, ...facts }, 'invoice payment failed')
}

function factsOf(invoice: Invoice) {
  return {
    amountDue: decimalAmount(invoice.amount_remaining ?? invoice.amount_due, invoice.currency),
    currency: invoice.currency,
    status: invoice.status ?? null,
    attemptCount: invoice.attempt_count,
    nextAttempt: isoTime(invoice.next_payment_attempt),
    billingReason: invoice.billing_reason ?? null,
    customer: idOf(invoice.customer) ?? invoice.customer_account ?? null,
    // API versions before 2025-03-31 have `subscription` instead.
    subscription: idOf(invoice.parent?.subscription_details?.subscription),
  }
}
