import type { HandlerMap } from '../../event.ts'
import { accountUpdated } from './account.ts'
import { balanceAvailable } from './balance.ts'
import { chargeRefunded } from './charge.ts'
import { disputeClosed, disputeCreated } from './charge-dispute.ts'
import { applicationAuthorized, applicationDeauthorized, externalAccountUpdated } from './connect-account.ts'
import { eventGenerationFailed } from './event-generation.ts'
import { invoicePaymentFailed } from './invoice.ts'
import { authorizationCreated } from './issuing-authorization.ts'
import { paymentFailed, paymentSucceeded } from './payment-intent.ts'
import { paymentMethodAttached } from './payment-method.ts'
import { payoutFailed, payoutPaid } from './payout.ts'
import { personUpdated } from './person.ts'
import { relatedObject } from './related-object.ts'
import { subscriptionDeleted } from './subscription.ts'

/**
 * The built-in handlers: event type → handler. Each says in one log line what happened, as a model for what your business does then. A snapshot and its thin twin
 * (`v1.…`) share a function over the object they are about. Modules of users import it by this path, to spread from it.
 */
export const handlerMap = {
  'payment_intent.succeeded': (event, ctx) => paymentSucceeded(event.data.object, ctx),
  'payment_intent.payment_failed': (event, ctx) => paymentFailed(event.data.object, ctx),
  'payment_method.attached': (event, ctx) => paymentMethodAttached(event.data.object, ctx),
  'charge.dispute.created': (event, ctx) => disputeCreated(event.data.object, ctx),
  'charge.dispute.closed': (event, ctx) => disputeClosed(event.data.object, ctx),
  'charge.refunded': (event, ctx) => chargeRefunded(event.data.object, ctx),
  'balance.available': (event, ctx) => balanceAvailable(event.data.object, ctx),
  'payout.failed': (event, ctx) => payoutFailed(event.data.object, ctx),
  'payout.paid': (event, ctx) => payoutPaid(event.data.object, ctx),
  'invoice.payment_failed': (event, ctx) => invoicePaymentFailed(event.data.object, ctx),
  'issuing_authorization.created': (event, ctx) => authorizationCreated(event.data.object, ctx),
  'customer.subscription.deleted': (event, ctx) => subscriptionDeleted(event.data.object, ctx),
  'account.updated': ({ data }, ctx) => accountUpdated(data.object, data.previous_attributes, ctx),
  'account.external_account.updated': (event, ctx) => externalAccountUpdated(event.data.object, ctx),
  'account.application.authorized': (event, ctx) => applicationAuthorized(event.data.object, ctx),
  'account.application.deauthorized': (event, ctx) => applicationDeauthorized(event.data.object, ctx),
  'person.updated': (event, ctx) => personUpdated(event.data.object, ctx),

  'v1.payment_intent.succeeded': async (_event, ctx) => paymentSucceeded(await relatedObject(ctx), ctx),
  'v1.payment_intent.payment_failed': async (_event, ctx) => paymentFailed(await relatedObject(ctx), ctx),
  'v1.payment_method.attached': async (_event, ctx) => paymentMethodAttached(await relatedObject(ctx), ctx),
  'v1.charge.dispute.created': async (_event, ctx) => disputeCreated(await relatedObject(ctx), ctx),
  'v1.charge.dispute.closed': async (_event, ctx) => disputeClosed(await relatedObject(ctx), ctx),
  'v1.charge.refunded': async (_event, ctx) => chargeRefunded(await relatedObject(ctx), ctx),
  'v1.balance.available': async (_event, ctx) => balanceAvailable(await relatedObject(ctx), ctx),
  'v1.payout.failed': async (_event, ctx) => payoutFailed(await relatedObject(ctx), ctx),
  'v1.payout.paid': async (_event, ctx) => payoutPaid(await relatedObject(ctx), ctx),
  'v1.invoice.payment_failed': async (_event, ctx) => invoicePaymentFailed(await relatedObject(ctx), ctx),
  'v1.issuing_authorization.created': async (_event, ctx) => authorizationCreated(await relatedObject(ctx), ctx),
  'v1.customer.subscription.deleted': async (_event, ctx) => subscriptionDeleted(await relatedObject(ctx), ctx),
  'v1.account.updated': async (_event, ctx) => accountUpdated(await relatedObject(ctx), undefined, ctx),
  // These name no object that could be fetched.
  'v1.account.external_account.updated': (_event, ctx) => externalAccountUpdated(undefined, ctx),
  'v1.account.application.authorized': (_event, ctx) => applicationAuthorized(undefined, ctx),
  'v1.account.application.deauthorized': (_event, ctx) => applicationDeauthorized(undefined, ctx),
  'v1.person.updated': async (_event, ctx) => personUpdated(await relatedObject(ctx), ctx),

  // Has no twin; Stripe has it in preview, so a destination must be given it in Workbench.
  'v2.core.health.event_generation_failure.resolved': eventGenerationFailed,
} satisfies HandlerMap
