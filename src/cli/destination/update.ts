import Stripe from 'stripe'
import { describeFailure } from '../../destinations/failure.ts'
import { findDestinations } from '../../destinations/find.ts'
import { countTypes, listTypes } from '../../destinations/finding.ts'
import { findSites, type PlacedDestination } from '../../destinations/sites.ts'
import { planUpdate, type UpdatePlan } from '../../destinations/update.ts'
import { loadHandledTypes } from '../handled-types.ts'
import { openAccount } from './account.ts'
import { carryOut } from './carry-out.ts'
import { fail, writeFailure } from './failure.ts'
import type { UpdateOptions } from './options.ts'

/** Brings a destination up to the handlers and the SDK. False when it could not be, or a person did not want it. */
export async function runUpdate(id: string, options: UpdateOptions): Promise<boolean> {
  const account = openAccount()
  if (account === undefined) return false
  const handled = await loadHandledTypes(account.settings)
  const { destinations, failures, isComplete, isV2Read } = await findDestinations(account.client)
  for (const failure of failures) writeFailure(failure)
  const url = URL.parse(destinations.find((each) => each.id === id)?.url ?? '')
  const sites = url === null ? [] : findSites(destinations, url)
  const site = sites.find((each) => each.destinations.some((one) => one.id === id))
  const destination = site?.destinations.find((each) => each.id === id)
  if (site === undefined || destination === undefined) {
    return fail(
      `there is no webhook ${id}${isComplete ? '' : ' in what could be read'}: see npm run destination -- list`,
    )
  }
  if (!destination.isEnabled) return fail(`${id} is disabled: enable it in Workbench first`)
  const plan = planUpdate(destination, site, { ...handled, apiVersion: Stripe.API_VERSION })
  if (plan.kind === 'replace' && !isV2Read) return false
  const lines = describePlan(destination, plan)
  if (lines.length === 0) process.stderr.write(`${id} is up to date\n`)
  for (const line of lines) process.stderr.write(`${options.dryRun ? 'would ' : 'to '}${line}\n`)
  try {
    const done = await carryOut(account, destination, plan, options)
    if (done && options.json)
      process.stdout.write(`${JSON.stringify({ id, dryRun: options.dryRun ?? false, ...done })}\n`)
    return done !== false
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError)) throw error
    writeFailure(describeFailure(error, `update ${id}`, 'Write'))
    return false
  }
}

function describePlan({ id, apiVersion }: PlacedDestination, plan: UpdatePlan): string[] {
  const version = apiVersion === null ? "the account's default API version" : `API version ${apiVersion}`
  const misfit = `it sends ${version}, which it keeps, and the handlers are typed for ${Stripe.API_VERSION}`
  if (plan.kind === 'disable') return [`disable ${id}, since ${misfit}; ${plan.replacedBy.id} has its place`]
  const { kind, lacking, needless } = plan
  return [
    ...(lacking.length > 0 ? [`add ${countTypes(lacking)}, needed and not sent: ${listTypes(lacking)}`] : []),
    ...(needless.length > 0
      ? [`remove ${countTypes(needless)}, which nothing here takes: ${listTypes(needless)}`]
      : []),
    ...(kind === 'replace' ? [`create another in the place of ${id}, since ${misfit}`] : []),
  ]
}
