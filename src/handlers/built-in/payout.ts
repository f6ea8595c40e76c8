import type { HandlerContext } from '../../event.ts'
import { decimalAmount, idOf, isoTime } from './format.ts'
import { notFetched, type ObjectOf } from './related-object.ts'

type Payout = ObjectOf<'payout.failed'>

/** Warns of a payout that did not reach its bank account or card, with the reason that Stripe gives. */
export function payoutFailed(payout: Payout | undefined, ctx: HandlerContext): void {
  const facts = payout ? factsOf(payout) : notFetched
  ctx.log.warn({ objectId: ctx.entry.objectId, ...facts }, 'payout failed')
}

/**
 * Says what reached the bank, and when. Counts what an automatic payout is made of, once Stripe knows it whole, by the client of the
 * event, and warns when that does not add up to its amount. Null: not looked up, or more than MAX_TRANSACTIONS.
 */
export async function payoutPaid(payout: Payout | undefined, ctx: HandlerContext): Promise<void> {
  const found = payout && (await countTransactions(payout, ctx))
  const facts = payout ? { ...amountOf(payout), transactions: found?.transactions ?? null } : notFetched
  const isWrong = found !== undefined && found.total !== payout?.amount
  const told = { objectId: ctx.entry.objectId, ...facts }
  if (isWrong) ctx.log.warn(told, 'payout paid, and its transactions do not add up to it')
  else ctx.log.info(told, 'payout paid')
}

/** A page has 100, and each takes a request of what all handlers share. */
const MAX_TRANSACTIONS = 1_000

async function countTransactions(payout: Payout, ctx: HandlerContext) {
  if (!ctx.hasApiKey || !payout.automatic || payout.reconciliation_status !== 'completed') return undefined
  let [transactions, total] = [0, 0]
  for await (const { type, net } of ctx.stripe.balanceTransactions.list({ payout: payout.id, limit: 100 })) {
    // The payout's own is among them.
    if (type === 'payout') continue
    transactions += 1
    total += net
    if (transactions > MAX_TRANSACTIONS) return undefined
  }
  return { transactions, total }
}

function factsOf(payout: Payout) {
  return {
    ...amountOf(payout),
    failureCode: payout.failure_code ?? null,
    failureMessage: payout.failure_message ?? null,
  }
}

function amountOf(payout: Payout) {
  return {
    amount: decimalAmount(payout.amount, payout.currency),
    currency: payout.currency,
    status: payout.status,
    destination: idOf(payout.destination),
    arrivalDate: isoTime(payout.arrival_date),
  }
}
