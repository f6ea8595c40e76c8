import { parseSettings, readEnvironment } from '../../config.ts'
import { ReceiverError } from '../../errors.ts'
import { type Reconciled, reconcileOnce } from '../../reconcile/reconcile.ts'
import { LISTED_MS } from '../../reconcile/reconcile-account.ts'
import type { Refusal } from '../../reconcile/refusal.ts'
import { sumOf } from '../../reconcile/tally.ts'
import { chooseTypes, findOwnDestinations, type WantedTypes } from '../../reconcile/wanted-types.ts'
import { createStripeClients } from '../../stripe/client.ts'
import { findTakenTypes } from '../../targets/taken-types.ts'
import { arrivalOf, loadUserCode, type UserCode, type Warn } from '../../user-code.ts'
import { withInbox } from '../inbox.ts'
import { createProgress } from '../terminal/progress.ts'
import type { ReconcileCommandOptions } from './options.ts'
import { printReconciled } from './report.ts'

/** Reconciles once, prints what was found, missing and added, and why accounts were left out. False when any was that is to be mended. */
export async function runReconcile(options: ReconcileCommandOptions): Promise<boolean> {
  const config = readConfig()
  const { result, types, failures } = await reconcile(config, await loadUserCode(config, warn), options)
  // An account that left is nothing to mend, unless it was asked for.
  const isFault = (refusal: Refusal) => !refusal.isAccountGone || options.account !== undefined
  const faults = result.refusals.filter(isFault)
  const told = new Set(faults.map(({ message }) => message))
  const warnings = [...result.unlisted, ...result.refusals.filter((refusal) => !isFault(refusal))]
  // What is for all accounts came for several, and for the destinations.
  const warned = new Set([...failures, ...warnings.map(({ message }) => message)]).difference(told)
  for (const message of warned) process.stderr.write(`warning: ${message}\n`)
  for (const message of told) process.stderr.write(`error: ${message}\n`)
  const { all = false, dryRun = false, json = false } = options
  printReconciled(result, { isAll: all, isDryRun: dryRun, isJson: json, types: countTypes(types) })
  return faults.length === 0
}

function readConfig() {
  const { stripeApiKey: apiKey, ...settings } = parseSettings(readEnvironment(), [
    'stripeApiKey',
    'stripeApiBase',
    'stripeRequestsPerSecond',
    'mode',
    'searchFields',
    'handlersPath',
    'answersPath',
    'targetsPath',
  ])
  if (apiKey !== undefined) return { apiKey, ...settings }
  throw new ReceiverError(
    'config_invalid',
    'STRIPE_API_KEY is not set: expected a secret or restricted API key that may read events, such as sk_test_… or rk_live_….',
  )
}

async function reconcile(
  config: ReturnType<typeof readConfig>,
  userCode: UserCode,
  { since, account, all: isAll = false, dryRun: isDryRun = false }: ReconcileCommandOptions,
): Promise<{ result: Reconciled; types: WantedTypes; failures: readonly string[] }> {
  const { apiKey, stripeApiBase: apiBase, stripeRequestsPerSecond: requestsPerSecond } = config
  const verb = isDryRun ? 'missing' : 'added'
  let sum = { found: 0, missing: 0 }
  const progress = createProgress(
    process.stderr,
    (found) =>
      `looked at ${found} ${isAll ? 'listed' : 'undelivered'} ${found === 1 ? 'event' : 'events'}, ${sum.missing} ${verb}`,
  )
  const onProgress = (counted: Reconciled['types']) => {
    sum = sumOf(counted)
    progress.update(sum.found)
  }
  const clients = createStripeClients({ apiKey, apiBase, requestsPerSecond })
  const arrival = await arrivalOf(userCode, config, warn)
  try {
    return await withInbox(async (inbox) => {
      const { own, failures } = await findOwnDestinations(clients)
      const types = chooseTypes({ ...userCode.handlers, forwarded: findTakenTypes(userCode.targets) }, own, { isAll })
      const sinceMs = since ?? (isAll ? LISTED_MS : undefined)
      const asked = { types, arrival, isAll, sinceMs, account, isDryRun, onProgress }
      const result = await reconcileOnce({ inbox, clients, ...asked })
      return { result, types, failures }
    })
  } finally {
    progress.end()
  }
}

function countTypes({ account, connect }: WantedTypes): number {
  return new Set([account, connect].flatMap(({ snapshot, thin }) => [...snapshot, ...thin])).size
}

const warn: Warn = (facts, words) =>
  void process.stderr.write(`warning: ${words} (${Object.values(facts).join(': ')})\n`)
