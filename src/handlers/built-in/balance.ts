import type { HandlerContext } from '../../event.ts'
import { formatAmount } from './format.ts'
import { notFetched, type ObjectOf } from './related-object.ts'

type Balance = ObjectOf<'balance.available'>
type Funds = Balance['available'] | undefined

/** Says what can be paid out and what is still pending, one amount for each currency. */
export function balanceAvailable(balance: Balance | undefined, ctx: HandlerContext): void {
  const facts = balance ? { available: amountsOf(balance.available), pending: amountsOf(balance.pending) } : notFetched
  ctx.log.info({ objectId: ctx.entry.objectId, ...facts }, 'balance available')
}

function amountsOf(funds: Funds): string[] | null {
  return funds?.map(({ amount, currency }) => formatAmount(amount, currency)) ?? null
}
