import type { EventOf, HandlerContext } from '../../event.ts'
import { isoTime } from './format.ts'
import { notFetched, type ObjectOf } from './related-object.ts'

type Account = ObjectOf<'account.updated'>
/** What the event changed, as it was before. Stripe names the changed fields only, at every depth. */
type Before = EventOf<'account.updated'>['data']['previous_attributes']

/**
 * Says what the account may do, and what Stripe wants from it now, later and under rules to come. Warns of what changed to the worse.
 * A thin event does not tell what changed: then it warns of what is wrong with an account that is through its onboarding.
 */
export function accountUpdated(account: Account | undefined, before: Before, ctx: HandlerContext): void {
  const facts = account ? factsOf(account) : notFetched
  const worsened = account && before ? findWorsened(account, before) : []
  const isRestricted = account !== undefined && before === undefined && isWrong(account)
  const level = worsened.length > 0 || isRestricted ? 'warn' : 'info'
  ctx.log[level](
    { objectId: ctx.entry.objectId, ...(worsened.length > 0 && { worsened }), ...facts },
    'account updated',
  )
}

function factsOf(account: Account) {
  // API versions before 2019-02-19 have `verification.fields_needed` instead.
  const { requirements, future_requirements: future } = account
  return {
    chargesEnabled: account.charges_enabled,
    payoutsEnabled: account.payouts_enabled,
    detailsSubmitted: account.details_submitted,
    pastDue: requirements?.past_due ?? null,
    currentlyDue: requirements?.currently_due ?? null,
    currentDeadline: isoTime(requirements?.current_deadline),
    eventuallyDue: requirements?.eventually_due ?? null,
    disabledReason: requirements?.disabled_reason ?? null,
    errors: namesOf(requirements?.errors),
    futureDue: future?.currently_due ?? null,
    futureDeadline: isoTime(future?.current_deadline),
    capabilities: Object.entries(account.capabilities ?? {}).map(([name, status]) => `${name} ${status}`),
  }
}

/** What was better before. An account that is still being onboarded lacks a lot, and that is no news. */
function findWorsened(account: Account, before: NonNullable<Before>): string[] {
  const { requirements } = account
  const was: Partial<NonNullable<Account['requirements']>> = before.requirements ?? {}
  const hadCapability = new Map(Object.entries(before.capabilities ?? {}))
  const capabilities = Object.entries(account.capabilities ?? {}).filter(
    ([name, status]) => status !== 'active' && hadCapability.get(name) === 'active',
  )
  const pastDue = account.details_submitted ? findNew(was.past_due, requirements?.past_due) : []
  return [
    ...(before.charges_enabled === true && account.charges_enabled === false ? ['charges disabled'] : []),
    ...(before.payouts_enabled === true && account.payouts_enabled === false ? ['payouts disabled'] : []),
    ...(isNewlyRejected(was.disabled_reason, requirements?.disabled_reason) ? ['rejected'] : []),
    ...capabilities.map(([name, status]) => `${name} ${status}`),
    ...pastDue.map((requirement) => `${requirement} past due`),
    ...findNew(was.errors && namesOf(was.errors), namesOf(requirements?.errors)),
  ]
}

/** What is there now and was not before; nothing when the event does not say what was. */
function findNew(before: readonly string[] | null | undefined, now: readonly string[] | null | undefined): string[] {
  return before === undefined ? [] : (now ?? []).filter((each) => !before?.includes(each))
}

function isNewlyRejected(before: string | null | undefined, now: string | null | undefined): boolean {
  return before !== undefined && !before?.startsWith('rejected.') && now?.startsWith('rejected.') === true
}

type Errors = NonNullable<Account['requirements']>['errors'] | undefined

/** Without Stripe's text, which may quote what a person has written. */
function namesOf(errors: Errors): string[] {
  return errors?.map(({ requirement, code }) => `${requirement} ${code}`) ?? []
}

function isWrong(account: Account): boolean {
  if (account.details_submitted === false) return false
  const isPastDue = (account.requirements?.past_due ?? []).length > 0
  // Compared with false: what an old version leaves out is not bad news.
  return isPastDue || account.charges_enabled === false || account.payouts_enabled === false
}
