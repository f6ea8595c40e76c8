import Stripe from 'stripe'
import { createDestination, type DestinationPlan } from '../../destinations/change.ts'
import type { Destination } from '../../destinations/destinations.ts'
import { describeFailure } from '../../destinations/failure.ts'
import { findDestinations } from '../../destinations/find.ts'
import { countTypes, listTypes } from '../../destinations/finding.ts'
import { neededTypes, subscribableTypes } from '../../destinations/needed.ts'
import { placeOf, routeOf } from '../../destinations/sites.ts'
import { loadHandledTypes } from '../handled-types.ts'
import type { Settings } from '../settings.ts'
import { confirm } from '../terminal/confirm.ts'
import { openAccount } from './account.ts'
import { fail, writeFailure } from './failure.ts'
import type { CreateOptions } from './options.ts'
import { describeSecret, describeUntold } from './secret.ts'

/** Creates the destination and prints its secret, as the line for `.env`, on standard output. False when it did not. */
export async function runCreate(options: CreateOptions): Promise<boolean> {
  const account = openAccount()
  if (account === undefined) return false
  const { settings, client, isLive } = account
  const wrongUrl = findUrlFault(options, isLive)
  if (wrongUrl !== undefined) return fail(wrongUrl)

  const plan = await makePlan(options, settings)
  const { destinations, failures, isV2Read } = await findDestinations(client)
  for (const failure of failures) writeFailure(failure)
  if (!isV2Read) return false
  const existing = destinations.find((destination) => isSame(destination, plan))
  if (existing !== undefined) return fail(describeExisting(existing))
  if (isLive && !options.yes && !(await isConfirmed(plan))) return false
  return create(client, plan, settings)
}

const LOCAL_HOSTS = ['localhost', '127.0.0.1', '[::1]']

function findUrlFault({ url, connect }: CreateOptions, isLive: boolean): string | undefined {
  if (url.protocol !== 'https:' && (isLive || !LOCAL_HOSTS.includes(url.hostname))) {
    return `expected an https URL: Stripe ${isLive ? 'sends live events to no other' : 'should send events to no other, except to localhost in test mode'}`
  }
  const route = routeOf(placeOf(url))
  if (route === 'connect' && !connect) {
    return "the URL ends in /webhook/connect, which takes events of connected accounts: add --connect, or leave /connect out for your own account's"
  }
  if (route === 'account' && connect) {
    return "the URL ends in /webhook, which takes your own account's events: with --connect it must end in /webhook/connect"
  }
  return undefined
}

async function makePlan({ url, connect, thin }: CreateOptions, settings: Settings): Promise<DestinationPlan> {
  const { handledTypes, unknownTypes } = await loadHandledTypes(settings)
  const shape = thin ? 'thin' : 'snapshot'
  const unknown = subscribableTypes(unknownTypes, shape)
  if (unknown.length > 0) process.stderr.write(`note: the SDK does not know ${unknown.join(', ')}: misspelt?\n`)
  if (routeOf(placeOf(url)) === undefined) {
    const route = connect ? '/webhook/connect' : '/webhook'
    process.stderr.write(`note: the server takes these events at ${route}: a proxy must lead ${url.pathname} there\n`)
  }
  const from = connect ? 'connect' : 'account'
  const { types, leftOut } = neededTypes(handledTypes, { shape, from })
  if (leftOut.length > 0) {
    process.stderr.write(
      `note: left out ${listTypes(leftOut)}: Stripe sends them as your own account's, to a destination without --connect\n`,
    )
  }
  return { url, shape, from, types, apiVersion: Stripe.API_VERSION }
}

/** The query counts here: another one makes another destination possible, for a change of version. */
function isSame({ url, shape }: Destination, plan: DestinationPlan): boolean {
  const existing = URL.parse(url ?? '')
  if (existing === null || shape !== plan.shape) return false
  return placeOf(existing) === placeOf(plan.url) && existing.search === plan.url.search
}

function describeExisting({ id, url, shape, isEnabled }: Destination): string {
  const ways = [
    ...(isEnabled ? [] : ['to use it again, enable it in Workbench']),
    `for the handlers' types and the SDK's API version: npm run destination -- update ${id}`,
    'for its secret, look in Workbench',
    'to start over, delete it first',
  ]
  return `${id} sends ${shape} events to ${url} already${isEnabled ? '' : ', and is disabled'}. ${ways.join('; ')}.`
}

async function isConfirmed(plan: DestinationPlan): Promise<boolean> {
  const question = `Create ${describePlan(plan)} on the LIVE account?`
  const answer = await confirm(question)
  if (answer === undefined) {
    return fail('STRIPE_API_KEY is of a live account, and there is no terminal to ask on: add --yes to create it')
  }
  return answer || fail('nothing was created')
}

function describePlan({ url, shape, from, types }: DestinationPlan): string {
  return `a destination for ${countTypes(types)} of ${shape} events of ${from === 'connect' ? 'connected accounts' : 'your own account'} at ${url.href}`
}

async function create(client: Stripe, plan: DestinationPlan, settings: Settings): Promise<boolean> {
  try {
    const { id, secret } = await createDestination(client, plan)
    process.stderr.write(`created ${id}: ${describePlan(plan)}\n`)
    const route = plan.from === 'connect' ? 'connect' : 'account'
    if (secret === undefined) return fail(describeUntold(route))
    const { line, advice } = describeSecret(secret, route, settings)
    process.stdout.write(`${line}\n`)
    process.stderr.write(`${advice}\n`)
    return true
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError)) throw error
    writeFailure(describeFailure(error, 'create the destination', 'Write'))
    return false
  }
}
