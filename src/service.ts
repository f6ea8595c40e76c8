import type { Config } from './config.ts'
import type { Handlers } from './event.ts'
import { loadHandlers } from './handlers/load.ts'
import { createAdminApp, createApp, createHealthApp } from './http/app.ts'
import { type HttpServer, listen } from './http/listen.ts'
import type { Inbox } from './inbox/inbox.ts'
import { openInbox } from './inbox/open-inbox.ts'
import { createLog, type Log } from './log.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { listableTypes } from './reconcile/reconcile.ts'
import { type Reconciling, startReconciling } from './reconcile/schedule.ts'
import { createStripeClients, type StripeClients } from './stripe/client.ts'
import { createDispatch } from './worker/dispatch.ts'
import { startRetention } from './worker/retention.ts'
import { startWorker, type Worker } from './worker/worker.ts'

export interface ServiceOverrides {
  readonly log?: Log
  /** In place of the built-in map and HANDLERS. */
  readonly handlers?: Handlers
  /** In place of 15 s: what a lease has beyond its attempt's time limit, so that a test need not wait for it. */
  readonly leaseMarginMs?: number
}

export interface Service {
  /** Of the public port, such as `http://127.0.0.1:4242`. */
  readonly url: string
  readonly adminUrl: string
  readonly inbox: Inbox
  /** Refuses new deliveries with 503, lets running handlers finish, and closes everything within SHUTDOWN_TIMEOUT_MS. */
  stop(): Promise<void>
}

/** A lease outlives its attempt's time limit by this, for settling it. */
const LEASE_MARGIN_MS = 15_000
/** Kept of the shutdown time for settling what was aborted and for closing. */
const CLOSING_MS = 1_000

/** The whole server, in the order of a delivery's route. It works fully once this resolves; it leaves nothing open when it rejects. */
export async function createService(config: Config, overrides: ServiceOverrides = {}): Promise<Service> {
  await using undo = new AsyncDisposableStack()
  const log = overrides.log ?? (await createLog(config.logLevel))
  const handlers = overrides.handlers ?? (await loadUserHandlers(config, log))
  const metrics = createMetrics(handlers.map)
  const inbox = undo.adopt(await openInbox(config.databaseUrl, 'server', metrics.onCommit), (opened) => opened.close())

  let isDraining = false
  let worker: Worker | undefined
  const shared = { inbox, log, isDraining: () => isDraining }
  const app = createApp({
    ...shared,
    mode: config.mode,
    toleranceSeconds: config.signatureToleranceSeconds,
    maxBodyBytes: config.maxBodyBytes,
    secrets: config.webhookSecrets,
    connectSecrets: config.connectWebhookSecrets,
    onRefused: metrics.onRefused,
    onAccepted(route, result, createdAt) {
      metrics.onAccepted(route, result, createdAt)
      if (result === 'stored') worker?.nudge()
    },
  })
  const publicApp = config.role === 'work' ? createHealthApp(shared) : app
  const adminApp = createAdminApp({ ...shared, renderMetrics: () => metrics.render(inbox) })
  const publicAddress = { host: config.host, port: config.port, variable: 'PORT' }
  const adminAddress = { host: config.adminHost, port: config.adminPort, variable: 'ADMIN_PORT' }
  const server = undo.adopt(await listen(publicApp, publicAddress), forceClose)
  const admin = undo.adopt(await listen(adminApp, adminAddress), forceClose)

  if (config.role !== 'receive') {
    const { stripeApiKey: apiKey, stripeApiBase: apiBase, stripeRequestsPerSecond: requestsPerSecond } = config
    const clients = createStripeClients({ apiKey, apiBase, requestsPerSecond })
    const work = { config, handlers, inbox, log, metrics, clients }
    worker = startWork(work, overrides.leaseMarginMs)
    if (apiKey !== undefined && config.reconcileMinutes > 0) {
      undo.adopt(startCatchingUp(work, worker), (reconciling) => reconciling.stop())
    }
    undo.adopt(startRetention({ inbox, log, retentionDays: config.retentionDays }), (retention) => retention.stop())
  }

  const opened = undo.move()
  async function stop(): Promise<void> {
    isDraining = true
    const closingMs = Math.min(CLOSING_MS, config.shutdownTimeoutMs / 2)
    await worker?.stop(config.shutdownTimeoutMs - closingMs)
    await server.close(closingMs / 2)
    await opened.disposeAsync()
  }
  let stopping: Promise<void> | undefined
  return { url: server.url, adminUrl: admin.url, inbox, stop: () => (stopping ??= stop()) }
}

interface Work {
  readonly config: Config
  readonly handlers: Handlers
  readonly inbox: Inbox
  readonly log: Log
  readonly metrics: Metrics
  readonly clients: StripeClients
}

function startWork(
  { config, handlers, inbox, log, metrics, clients: events }: Work,
  leaseMarginMs = LEASE_MARGIN_MS,
): Worker {
  const { handlerTimeoutMs: timeoutMs, maxAttempts, workerConcurrency: concurrency } = config
  const dispatch = createDispatch({ handlers, events, log, timeoutMs, maxAttempts, twins: config.twins })
  const leaseMs = timeoutMs + leaseMarginMs
  return startWorker({ inbox, dispatch, log, concurrency, leaseMs, onAttemptEnded: metrics.onAttemptEnded })
}

function startCatchingUp({ config, handlers, inbox, log, metrics, clients }: Work, worker: Worker): Reconciling {
  return startReconciling({
    inbox,
    clients,
    log,
    types: listableTypes(handlers.map),
    mode: config.mode,
    everyMs: config.reconcileMinutes * 60_000,
    onReconciled: metrics.onReconciled,
    onAdded: worker.nudge,
  })
}

async function loadUserHandlers(config: Config, log: Log): Promise<Handlers> {
  const { handlers, unknownTypes } = await loadHandlers(config.handlersPath)
  if (unknownTypes.length > 0)
    log.warn({ types: unknownTypes }, 'HANDLERS names types that the SDK does not know: misspelt?')
  return handlers
}

const forceClose = (server: HttpServer) => server.close(0)
