import type { HandlerContext } from '../../event.ts'
import { isoTime } from './format.ts'
import { notFetched, type ObjectOf } from './related-object.ts'

type Account = ObjectOf<'account.updated'>
type ExternalAccount = ObjectOf<'account.external_account.updated'>

/** Says what the account may do and what Stripe wants from it. Warns once something is past due or switched off. */
export function accountUpdated(account: Account | undefined, ctx: HandlerContext): void {
  const facts = account ? accountFacts(account) : notFetched
  const level = account && isRestricted(account) ? 'warn' : 'info'
  ctx.log[level]({ objectId: ctx.entry.objectId, ...facts }, 'account updated')
}

/**
 * Says which bank account or card changed. Warns when Stripe can no longer pay out to it. The thin twin names no object:
 * its line holds the account only.
 */
export function externalAccountUpdated(external: ExternalAccount | undefined, ctx: HandlerContext): void {
  const facts = external ? externalAccountFacts(external) : notFetched
  const level = external && isUnusable(external) ? 'warn' : 'info'
  ctx.log[level]({ objectId: ctx.entry.objectId, ...facts }, 'external account updated')
}

/**
 * Warns that the account in the line left. `objectId` is the application that it left (`ca_…`), null on the thin twin.
 * The account can no longer be fetched, so the event is all there is to say.
 */
export function applicationDeauthorized(_event: unknown, ctx: HandlerContext): void {
  ctx.log.warn({ objectId: ctx.entry.objectId }, 'application deauthorized')
}

function accountFacts(account: Account) {
  // API versions before 2019-02-19 have `verification.fields_needed` instead.
  const requirements = account.requirements
  return {
    chargesEnabled: account.charges_enabled,
    payoutsEnabled: account.payouts_enabled,
    detailsSubmitted: account.details_submitted,
    pastDue: requirements?.past_due ?? null,
    currentlyDue: requirements?.currently_due ?? null,
    currentDeadline: isoTime(requirements?.current_deadline),
    disabledReason: requirements?.disabled_reason ?? null,
  }
}

function isRestricted(account: Account): boolean {
  const isPastDue = (account.requirements?.past_due ?? []).length > 0
  // Compared with false: what an old version leaves out is not bad news.
  return isPastDue || account.charges_enabled === false || account.payouts_enabled === false
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

// Stripe's statuses of a bank account that fails a payout or its verification.
function isUnusable(external: ExternalAccount): boolean {
  return external.status === 'errored' || external.status === 'verification_failed'
}
