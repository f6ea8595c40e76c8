import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from './config.ts'
import type { Handlers } from './event.ts'
import { loadHandlers } from './handlers/load-handlers.ts'
import { createAdminApp, createApp } from './http/app.ts'
import { type HttpServer, listen } from './http/listen.ts'
import type { Inbox } from './inbox/inbox.ts'
import { openInbox } from './inbox/open-inbox.ts'
import { createLog, type Log } from './log.ts'
import { createStripeClients } from './stripe/client.ts'
import { createDispatch } from './worker/dispatch.ts'
import { startWorker, type Worker } from './worker/worker.ts'

export interface ServiceOverrides {
  readonly log?: Log
  /** In place of the built-in map and HANDLERS. */
  readonly handlers?: Handlers
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
/** How long clients on kept-alive connections may still hear a 503 with `Connection: close`, instead of a reset. */
const DRAIN_MS = 500

/** The whole server, in the order of a delivery's route. It works fully once this resolves; it leaves nothing open when it rejects. */
export async function createService(config: Config, overrides: ServiceOverrides = {}): Promise<Service> {
  await using undo = new AsyncDisposableStack()
  const log = overrides.log ?? (await createLog(config.logLevel))
  const handlers = overrides.handlers ?? (await loadUserHandlers(config, log))
  const inbox = undo.adopt(await openInbox(config.databaseUrl, 'server'), (opened) => opened.close())

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
    onStored: () => worker?.nudge(),
  })
  const publicApp = config.role === 'work' ? createAdminApp(shared) : app
  const server = undo.adopt(
    await listen(publicApp, { host: config.host, port: config.port, variable: 'PORT' }),
    forceClose,
  )
  const admin = await listen(createAdminApp(shared), {
    host: config.adminHost,
    port: config.adminPort,
    variable: 'ADMIN_PORT',
  })
  undo.adopt(admin, forceClose)

  if (config.role !== 'receive') {
    const events = createStripeClients({ apiKey: config.stripeApiKey, apiBase: config.stripeApiBase })
    const dispatch = createDispatch({
      handlers,
      events,
      log,
      timeoutMs: config.handlerTimeoutMs,
      maxAttempts: config.maxAttempts,
    })
    const leaseMs = config.handlerTimeoutMs + LEASE_MARGIN_MS
    worker = startWorker({ inbox, dispatch, log, concurrency: config.workerConcurrency, leaseMs })
  }

  const opened = undo.move()
  async function stop(): Promise<void> {
    isDraining = true
    const closingMs = Math.min(CLOSING_MS, config.shutdownTimeoutMs / 2)
    const drained = delay(Math.min(DRAIN_MS, closingMs))
    await worker?.stop(config.shutdownTimeoutMs - closingMs)
    await drained
    await server.close(closingMs / 2)
    await opened.disposeAsync()
  }
  let stopping: Promise<void> | undefined
  return {
    url: server.url,
    adminUrl: admin.url,
    inbox,
    stop: () => (stopping ??= stop()),
  }
}

async function loadUserHandlers(config: Config, log: Log): Promise<Handlers> {
  const { handlers, unknownTypes } = await loadHandlers(config.handlersPath)
  if (unknownTypes.length > 0)
    log.warn({ types: unknownTypes }, 'HANDLERS names types that the SDK does not know: misspelt?')
  return handlers
}

const forceClose = (server: HttpServer) => server.close(0)
