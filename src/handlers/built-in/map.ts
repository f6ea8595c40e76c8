import type { HandlerMap } from '../../event.ts'
import { accountUpdated } from './account.ts'
import { balanceAvailable } from './balance.ts'
import { disputeCreated } from './charge-dispute.ts'
import { applicationDeauthorized, externalAccountUpdated } from './connect-account.ts'
import { paymentSucceeded } from './payment-intent.ts'
import { paymentMethodAttached } from './payment-method.ts'
import { payoutFailed } from './payout.ts'
import { personUpdated } from './person.ts'
import { relatedObject } from './related-object.ts'

/**
 * The built-in handlers: event type → handler. Each says what happened in one log line. A snapshot and its thin twin
 * (`v1.…`) share a function over the object they are about. Modules of users import it by this path, to spread from it.
 */
export const handlerMap = {
  'payment_intent.succeeded': (event, ctx) => paymentSucceeded(event.data.object, ctx),
  'payment_method.attached': (event, ctx) => paymentMethodAttached(event.data.object, ctx),
  'charge.dispute.created': (event, ctx) => disputeCreated(event.data.object, ctx),
  'balance.available': (event, ctx) => balanceAvailable(event.data.object, ctx),
  'payout.failed': (event, ctx) => payoutFailed(event.data.object, ctx),
  'account.updated': ({ data }, ctx) => accountUpdated(data.object, data.previous_attributes, ctx),
  'account.external_account.updated': (event, ctx) => externalAccountUpdated(event.data.object, ctx),
  'account.application.deauthorized': (event, ctx) => applicationDeauthorized(event.data.object, ctx),
  'person.updated': (event, ctx) => personUpdated(event.data.object, ctx),

  'v1.payment_intent.succeeded': async (_event, ctx) => paymentSucceeded(await relatedObject(ctx), ctx),
  'v1.payment_method.attached': async (_event, ctx) => paymentMethodAttached(await relatedObject(ctx), ctx),
  'v1.charge.dispute.created': async (_event, ctx) => disputeCreated(await relatedObject(ctx), ctx),
  'v1.balance.available': async (_event, ctx) => balanceAvailable(await relatedObject(ctx), ctx),
  'v1.payout.failed': async (_event, ctx) => payoutFailed(await relatedObject(ctx), ctx),
  'v1.account.updated': async (_event, ctx) => accountUpdated(await relatedObject(ctx), undefined, ctx),
  // These name no object that could be fetched.
  'v1.account.external_account.updated': (_event, ctx) => externalAccountUpdated(undefined, ctx),
  'v1.account.application.deauthorized': (_event, ctx) => applicationDeauthorized(undefined, ctx),
  'v1.person.updated': async (_event, ctx) => personUpdated(await relatedObject(ctx), ctx),
} satisfies HandlerMap
