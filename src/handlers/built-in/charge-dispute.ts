import type { HandlerContext } from '../../event.ts'
import { decimalAmount, idOf, isoTime } from './format.ts'
import { notFetched, type ObjectOf } from './related-object.ts'

type Dispute = ObjectOf<'charge.dispute.created'>

/** Warns of a disputed charge: how much is at stake, why, and until when evidence counts. */
export function disputeCreated(dispute: Dispute | undefined, ctx: HandlerContext): void {
  const facts = dispute ? factsOf(dispute) : notFetched
  ctx.log.warn({ objectId: ctx.entry.objectId, ...facts }, 'charge disputed')
}

/** Says how a dispute ended. Warns when it was lost: the amount stays with the customer. */
export function disputeClosed(dispute: Dispute | undefined, ctx: HandlerContext): void {
  const facts = dispute ? outcomeOf(dispute) : notFetched
  const level = dispute?.status === 'lost' ? 'warn' : 'info'
  ctx.log[level]({ objectId: ctx.entry.objectId, ...facts }, 'dispute closed')
}

function factsOf(dispute: Dispute) {
  // Always there by its type, which tells of the newest API version only.
  const evidence: Dispute['evidence_details'] | undefined = dispute.evidence_details
  return {
    ...outcomeOf(dispute),
    evidenceDueBy: isoTime(evidence?.due_by),
    evidencePastDue: evidence?.past_due ?? null,
  }
}

/** `status` is `won`, `lost`, or `warning_closed` for an inquiry that came to nothing. */
function outcomeOf(dispute: Dispute) {
  return {
    amount: decimalAmount(dispute.amount, dispute.currency),
    currency: dispute.currency,
    reason: dispute.reason,
    status: dispute.status,
    charge: idOf(dispute.charge),
    paymentIntent: idOf(dispute.payment_intent),
  }
}
