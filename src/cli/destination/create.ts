import Stripe from 'stripe'
import { createDestination, type Destination, type DestinationPlan } from '../../destinations/destinations.ts'
import { describeFailure } from '../../destinations/failure.ts'
import { findDestinations } from '../../destinations/find.ts'
import { countTypes, listTypes } from '../../destinations/finding.ts'
import { checkSetup, modeOfKey } from '../../destinations/setup.ts'
import { placeOf, routeOf } from '../../destinations/sites.ts'
import { neededTypes, subscribableTypes } from '../../destinations/types.ts'
import { loadHandlers } from '../../handlers/load.ts'
import { createStripeClients } from '../../stripe/client.ts'
import { readSettings, type Settings } from '../settings.ts'
import { confirm } from '../terminal/confirm.ts'
import { writeFailure } from './failure.ts'
import type { CreateOptions } from './options.ts'

/** Creates the destination and prints its secret, as the line for `.env`, on standard output. False when it did not. */
export async function runCreate(options: CreateOptions): Promise<boolean> {
  const settings = readSettings()
  const setup = checkSetup({ ...settings, hasSecret: true }).find(({ severity }) => severity === 'fault')
  if (setup !== undefined) writeFailure(setup)
  if (settings.apiKey === undefined || setup !== undefined) return false
  const isLive = modeOfKey(settings.apiKey) === 'live'
  const wrongUrl = findUrlFault(options, isLive)
  if (wrongUrl !== undefined) return fail(wrongUrl)

  const plan = await makePlan(options, settings)
  const { apiKey, apiBase } = settings
  const client = createStripeClients({ apiKey, apiBase }).clientOf(null)
  const { destinations, failures, isV2Read } = await findDestinations(client)
  for (const failure of failures) writeFailure(failure)
  if (!isV2Read) return false
  const existing = destinations.find((destination) => isSame(destination, plan))
  if (existing !== undefined) return fail(describeExisting(existing))
  if (isLive && !options.yes && !(await isConfirmed(plan))) return false
  return create(client, plan, settings)
}

function fail(message: string): false {
  process.stderr.write(`error: ${message}\n`)
  return false
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
  const { handlers, unknownTypes } = await loadHandlers(settings.handlersPath)
  const shape = thin ? 'thin' : 'snapshot'
  const unknown = subscribableTypes(unknownTypes, shape)
  if (unknown.length > 0) process.stderr.write(`note: the SDK does not know ${unknown.join(', ')}: misspelt?\n`)
  if (routeOf(placeOf(url)) === undefined) {
    const route = connect ? '/webhook/connect' : '/webhook'
    process.stderr.write(`note: the server takes these events at ${route}: a proxy must lead ${url.pathname} there\n`)
  }
  const from = connect ? 'connect' : 'account'
  const { types, leftOut } = neededTypes(Object.keys(handlers.map), { shape, from })
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
    'for other types, edit it in Workbench (npm run doctor names them)',
    'for its secret, look there too',
    'for another API version, create one at the same URL with ?version=… added, and delete this one afterwards',
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
    return tellSecret(secret, plan, settings)
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError)) throw error
    writeFailure(describeFailure(error, 'create the destination', 'Write'))
    return false
  }
}

function tellSecret(secret: string | undefined, { from }: DestinationPlan, settings: Settings): boolean {
  const name = from === 'connect' ? 'STRIPE_CONNECT_WEBHOOK_SECRET' : 'STRIPE_WEBHOOK_SECRET'
  if (secret === undefined) return fail(`Stripe did not tell its signing secret: copy it from Workbench to ${name}`)
  const existing = settings.secrets[from]
  // Those that are set go into a file, and not on a screen.
  const others = process.stdout.isTTY && existing.length > 0 ? ['<existing>'] : existing
  process.stdout.write(`${name}=${[secret, ...others].join(',')}\n`)
  process.stderr.write(`${adviceOn(name, others)}; then restart the server.\n`)
  return true
}

function adviceOn(name: string, others: readonly string[]): string {
  if (others.length === 0) return 'Put this line into .env'
  if (others[0] === '<existing>')
    return `${name} is set already: put the new secret in front of what it holds, in place of <existing>, so that both are taken`
  return `${name} is set already: in .env this line takes its place, or goes after it, so that both secrets are taken`
}
