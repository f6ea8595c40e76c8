import Stripe from 'stripe'
import { createDestination, disableDestination, sendTypes } from '../../destinations/change.ts'
import { countTypes, listTypes } from '../../destinations/finding.ts'
import type { PlacedDestination } from '../../destinations/sites.ts'
import type { UpdatePlan } from '../../destinations/update.ts'
import { confirm } from '../terminal/confirm.ts'
import type { StripeAccount } from './account.ts'
import { fail } from './failure.ts'
import type { UpdateOptions } from './options.ts'
import { describeSecret, describeUntold } from './secret.ts'

/** What was done, or with --dry-run would be. */
export interface Update {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** Id of the destination that takes its place; null when none does, or it would still have to be created. */
  readonly replacedBy: string | null
  readonly isDisabled: boolean
  /** The line for `.env`, when a destination was created. */
  readonly env?: string
}

/** Does what was planned, after the questions that it takes. False, and told on standard error, when it did not. */
export async function carryOut(
  account: StripeAccount,
  destination: PlacedDestination,
  plan: UpdatePlan,
  options: UpdateOptions,
): Promise<Update | false> {
  if (plan.kind === 'disable') return replaceBy(account, destination, plan, options)
  const { lacking, needless, kind } = plan
  if (options.dryRun) return { added: lacking, removed: needless, replacedBy: null, isDisabled: false }
  const isWriting = lacking.length > 0 || kind === 'replace'
  if (isWriting && account.isLive && !(await isAgreed('Do this on the LIVE account?', options))) return false
  const isRemoving = needless.length > 0 && (options.yes ?? (await confirm(`Remove ${countTypes(needless)}?`))) === true
  if (needless.length > 0 && !isRemoving) process.stderr.write(`kept ${countTypes(needless)}: --yes removes them\n`)
  const removed = isRemoving ? needless : []
  const types = [...destination.types.filter((type) => !removed.includes(type)), ...lacking]
  if (types.length === 0) return fail(`nothing that ${destination.id} sends is needed: delete it in Workbench`)
  const done = { added: lacking, removed, replacedBy: null, isDisabled: false }
  if (kind === 'replace') {
    const created = await createAnother(account, destination, types, options)
    return created && { ...done, ...created }
  }
  if (lacking.length + removed.length > 0) {
    await sendTypes(account.client, destination, types)
    process.stderr.write(`${destination.id} sends ${countTypes(types)} now\n`)
  }
  return done
}

async function createAnother(
  { client, settings }: StripeAccount,
  old: PlacedDestination,
  types: readonly string[],
  options: UpdateOptions,
): Promise<Pick<Update, 'replacedBy' | 'isDisabled' | 'env'> | false> {
  const { shape, origin: from, route } = old
  if (from === 'organization') return fail(`${old.id} sends events of an organization: create the other in Workbench`)
  const url = new URL(old.url ?? old.place)
  // Only for people, who see the two URLs side by side.
  url.searchParams.set('version', Stripe.API_VERSION)
  const { id, secret } = await createDestination(client, { url, shape, from, types, apiVersion: Stripe.API_VERSION })
  process.stderr.write(`created ${id}: ${countTypes(types)} of ${shape} events at ${url.href}\n`)
  if (secret === undefined) return fail(describeUntold(route))
  const { line, advice } = describeSecret(secret, route, settings)
  // At once: Stripe tells the secret only now.
  if (!options.json) process.stdout.write(`${line}\n`)
  process.stderr.write(`${advice}\n`)
  const question = `Is the server running with both secrets, and is ${old.id} to be disabled?`
  // A --yes from before cannot know that.
  const isDisabled = !options.json && (await confirm(question)) === true
  if (isDisabled) await disable(client, old)
  else {
    const both = `both send each event meanwhile, which is handled once`
    process.stderr.write(
      `${old.id} stays enabled; ${both}. Run this again when the server has both secrets, to disable it\n`,
    )
  }
  return { replacedBy: id, isDisabled, ...(options.json && { env: line }) }
}

async function replaceBy(
  { client }: StripeAccount,
  old: PlacedDestination,
  { replacedBy, lacking }: Extract<UpdatePlan, { readonly kind: 'disable' }>,
  options: UpdateOptions,
): Promise<Update | false> {
  if (lacking.length > 0) {
    const which = `${countTypes(lacking)} that ${old.id} does: ${listTypes(lacking)}`
    return fail(`${replacedBy.id} does not send ${which}: npm run destination -- update ${replacedBy.id}`)
  }
  const done = { added: [], removed: [], replacedBy: replacedBy.id, isDisabled: true }
  if (options.dryRun) return done
  if (
    !(await isAgreed(
      `Is the server running with the secret of ${replacedBy.id}, and is ${old.id} to be disabled?`,
      options,
    ))
  )
    return false
  await disable(client, old)
  return done
}

async function disable(client: Stripe, old: PlacedDestination): Promise<void> {
  await disableDestination(client, old)
  process.stderr.write(`disabled ${old.id}: delete it in Workbench, and take its secret out of .env\n`)
}

async function isAgreed(question: string, { yes }: UpdateOptions): Promise<boolean> {
  const answer = yes ?? (await confirm(question))
  if (answer === undefined) return fail(`there is no terminal to ask on: "${question}" Add --yes if so`)
  return answer || fail('nothing was changed')
}
