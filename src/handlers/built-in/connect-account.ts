import type { HandlerContext } from '../../event.ts'
import { notFetched, type ObjectOf } from './related-object.ts'

type Application = ObjectOf<'account.application.deauthorized'>
type ExternalAccount = ObjectOf<'account.external_account.updated'>

/**
 * Says which bank account or card changed. Warns when Stripe can no longer pay out to it. The thin twin names no object:
 * its line holds the account only.
 */
export function externalAccountUpdated(external: ExternalAccount | undefined, ctx: HandlerContext): void {
  const facts = external ? externalAccountFacts(external) : notFetched
  const level = external && isUnusable(external) ? 'warn' : 'info'
  ctx.log[level]({ objectId: ctx.entry.objectId, ...facts }, 'external account updated')
}

/** Says that the account in the line is connected to the application, which the thin twin does not name. */
export function applicationAuthorized(application: Application | undefined, ctx: HandlerContext): void {
  ctx.log.info({ objectId: ctx.entry.objectId, application: application?.name ?? null }, 'application authorized')
}

/**
 * Warns that the account in the line left the application, which the thin twin does not name. The account can no longer be fetched,
 * so the event is all there is to say.
 */
export function applicationDeauthorized(application: Application | undefined, ctx: HandlerContext): void {
  ctx.log.warn({ objectId: ctx.entry.objectId, application: application?.name ?? null }, 'application deauthorized')
  // Your own clean-up goes here: forget what you keep for ctx.entry.account, and stop what is planned for it.
}

function externalAccountFacts(external: ExternalAccount) {
  return {
    kind: external.object,
    ...(external.object === 'card' ? { brand: external.brand } : { bank: external.bank_name }),
    last4: external.last4,
    currency: external.currency ?? null,
    status: external.status ?? null,
  }
}

// Stripe's statuses of a bank account that fails a payout or its verification, or whose number no longer stands for it.
const unusable: readonly (string | null | undefined)[] = [
  'errored',
  'verification_failed',
  'tokenized_account_number_deactivated',
]

function isUnusable(external: ExternalAccount): boolean {
  return unusable.includes(external.status)
}
