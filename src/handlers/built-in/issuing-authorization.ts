import type { HandlerContext } from '../../event.ts'
import { decimalAmount, idOf } from './format.ts'
import { notFetched, type ObjectOf } from './related-object.ts'

type Authorization = ObjectOf<'issuing_authorization.created'>

/** Stripe decided by the account's settings, because no reply to its request came in time, or what came was none. */
const unanswered: readonly string[] = ['webhook_timeout', 'webhook_error']

/** Says whether a card was let pay; warns when the reply to Stripe's request for that did not count. */
export function authorizationCreated(authorization: Authorization | undefined, ctx: HandlerContext): void {
  const { objectId } = ctx.entry
  const facts = authorization ? factsOf(authorization) : notFetched
  const failed = authorization?.request_history.find(({ reason }) => unanswered.includes(reason))
  if (failed === undefined) {
    ctx.log.info({ objectId, ...facts }, 'card authorization')
    return
  }
  const why = { reason: failed.reason, reasonMessage: failed.reason_message }
  ctx.log.warn(
    { objectId, ...facts, ...why },
    'card authorization decided by Stripe: the reply to its request did not count',
  )
}

function factsOf({ approved, request_history: requests, amount, currency, card }: Authorization) {
  return {
    approved,
    // Zero when it was declined: the request then tells how much was asked for.
    amount: decimalAmount(requests.at(-1)?.amount ?? amount, currency),
    currency,
    card: idOf(card),
  }
}
