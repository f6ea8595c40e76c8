import { parseSettings, readEnvironment } from '../../config.ts'
import { ReceiverError } from '../../errors.ts'
import type { Handlers } from '../../event.ts'
import { createChooseLane } from '../../handlers/choose-lane.ts'
import { loadHandlers } from '../../handlers/load.ts'
import { listableTypes, type Reconciled, reconcileOnce } from '../../reconcile/reconcile.ts'
import { sumOf } from '../../reconcile/tally.ts'
import { createStripeClients } from '../../stripe/client.ts'
import { withInbox } from '../inbox.ts'
import { createProgress } from '../terminal/progress.ts'
import type { ReconcileCommandOptions } from './options.ts'
import { printReconciled } from './report.ts'

/** Reconciles once, prints what was undelivered, missing and added, and why accounts were left out. False when any was. */
export async function runReconcile(options: ReconcileCommandOptions): Promise<boolean> {
  const config = readConfig()
  const { handlers } = await loadHandlers(config.handlersPath)
  const types = listableTypes(handlers.map)
  const result = await reconcile(config, handlers, options)
  for (const { message } of result.refusals) process.stderr.write(`error: ${message}\n`)
  const { dryRun: isDryRun = false, json = false } = options
  printReconciled(result, { isDryRun, isJson: json, types: types.length })
  return result.refusals.length === 0
}

function readConfig() {
  const { stripeApiKey: apiKey, ...settings } = parseSettings(readEnvironment(), [
    'stripeApiKey',
    'stripeApiBase',
    'stripeRequestsPerSecond',
    'mode',
    'handlersPath',
  ])
  if (apiKey !== undefined) return { apiKey, ...settings }
  throw new ReceiverError(
    'config_invalid',
    'STRIPE_API_KEY is not set: expected a secret or restricted API key that may read events, such as sk_test_… or rk_live_….',
  )
}

async function reconcile(
  config: ReturnType<typeof readConfig>,
  { map, lane: laneOf }: Handlers,
  { since: sinceMs, account, dryRun }: ReconcileCommandOptions,
): Promise<Reconciled> {
  const { mode, apiKey, stripeApiBase: apiBase, stripeRequestsPerSecond: requestsPerSecond } = config
  const isDryRun = dryRun ?? false
  const verb = isDryRun ? 'missing' : 'added'
  let found = { undelivered: 0, missing: 0 }
  const progress = createProgress(
    process.stderr,
    (undelivered) => `looked at ${undelivered} undelivered events, ${found.missing} ${verb}`,
  )
  const onProgress = (counted: Reconciled['types']) => {
    found = sumOf(counted)
    progress.update(found.undelivered)
  }
  const clients = createStripeClients({ apiKey, apiBase, requestsPerSecond })
  const { parse } = createStripeClients({ apiKey: undefined, apiBase })
  const chooseLane = laneOf && createChooseLane({ laneOf, parse, onFault: warnOfLane })
  const types = listableTypes(map)
  try {
    return await withInbox((inbox) =>
      reconcileOnce({ inbox, clients, types, mode, chooseLane, sinceMs, account, isDryRun, onProgress }),
    )
  } finally {
    progress.end()
  }
}

function warnOfLane({ type, reason }: { readonly type: string; readonly reason: string }): void {
  process.stderr.write(
    `warning: \`lane\` of HANDLERS names no lane for ${type}, so the default one is taken: ${reason}\n`,
  )
}
