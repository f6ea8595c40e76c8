import type { HandlerContext } from '../../event.ts'
import { decimalAmount, idOf, isoTime } from './format.ts'
import { notFetched, type ObjectOf } from './related-object.ts'

type Payout = ObjectOf<'payout.failed'>

/** Warns of a payout that did not reach its bank account or card, with the reason that Stripe gives. */
export function payoutFailed(payout: Payout | undefined, ctx: HandlerContext): void {
  const facts = payout ? factsOf(payout) : notFetched
  ctx.log.warn({ objectId: ctx.entry.objectId, ...facts }, 'payout failed')
}

function factsOf(payout: Payout) {
  return {
    amount: decimalAmount(payout.amount, payout.currency),
    currency: payout.currency,
    status: payout.status,
    failureCode: payout.failure_code ?? null,
    failureMessage: payout.failure_message ?? null,
    destination: idOf(payout.destination),
    arrivalDate: isoTime(payout.arrival_date),
  }
}
