import { setTimeout as delay } from 'node:timers/promises'
import { type Alerts, startAlerts } from './alerts/alerts.ts'
import { createSend } from './alerts/send.ts'
import type { Answering, AnsweringOptions } from './answers/answering.ts'
import { type Config, readEnvironment } from './config.ts'
import type { Console, ConsoleOptions } from './console/console.ts'
import type { Arrival } from './event/arrival.ts'
import type { Handlers, NewEntry } from './event.ts'
import { createFigureCounter, type FigureCounter, startKeeping } from './figures.ts'
import { createAdminApp, createApp, createHealthApp } from './http/app.ts'
import { type HttpServer, listen } from './http/listen.ts'
import type { Inbox } from './inbox/inbox.ts'
import { openInbox } from './inbox/open-inbox.ts'
import { createLog, type Log } from './log.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { startChangeRunner } from './operations/run-changes.ts'
import { nameTarget, warnOfStranded } from './operations/survey-targets.ts'
import { type Reconciling, startReconciling } from './reconcile/schedule.ts'
import { createStripeClients, type StripeClients } from './stripe/client.ts'
import type { Forwarder } from './targets/forwarder.ts'
import { createHeldLog } from './targets/held-log.ts'
import type { LoadedTarget } from './targets/load.ts'
import { findTakenTypes } from './targets/taken-types.ts'
import { arrivalOf, loadUserCode, type Warn } from './user-code.ts'
import { createDispatch } from './worker/dispatch.ts'
import { startHoldReminder } from './worker/hold-reminder.ts'
import { createOverrun, type Overrun } from './worker/overrun.ts'
import { startRetention } from './worker/retention.ts'
import { startWatchdog, type Watchdog } from './worker/watchdog.ts'
import { startWorker, type Worker } from './worker/worker.ts'

export interface ServiceOverrides {
  readonly log?: Log
  /** In place of the built-in map and HANDLERS. */
  readonly handlers?: Handlers
  /** In place of TARGETS. */
  readonly targets?: readonly LoadedTarget[]
  /** In place of 15 s: what a lease has beyond its attempt's time, so that a test need not wait for it. */
  readonly leaseMarginMs?: number
  /** In place of 15 s: for how much longer than a handler's time limit the event loop may stand still. */
  readonly standstillMarginMs?: number
  /** Told when a handler holds on for so long that only the end of this process frees its place. */
  readonly onStuck?: (facts: { readonly eventId: string; readonly type: string }) => void
}

export interface Service {
  /** Of the public port, such as `http://127.0.0.1:4242`. */
  readonly url: string
  /** What that port is bound to, such as `0.0.0.0:4242`. */
  readonly address: string
  readonly adminUrl: string
  readonly inbox: Inbox
  /** Resolves once the replies to requests are out that are under way now: within their `withinMs`. */
  whenLastReplied(): Promise<void>
  /**
   * Is not ready from now on, goes on storing deliveries while running handlers finish, and then closes everything, all within
   * SHUTDOWN_TIMEOUT_MS. Resolves with false when that time ran out, as when the store hangs.
   */
  stop(): Promise<boolean>
}

/** A lease outlives what its attempt may take by this, for settling it. */
const LEASE_MARGIN_MS = 15_000
const STANDSTILL_MARGIN_MS = 15_000
/** Kept of the shutdown time for settling what was aborted and for closing. */
const CLOSING_MS = 1_000
/** For telling people, once handlers have ended, what they were not told yet; where that time is left. */
const LAST_ALERTS_MS = 2_000

/** The whole server, in the order of a delivery's route. It works fully once this resolves; it leaves nothing open when it rejects. */
export async function createService(config: Config, overrides: ServiceOverrides = {}): Promise<Service> {
  await using undo = new AsyncDisposableStack()
  const log = overrides.log ?? (await createLog(config.logLevel))
  const warn: Warn = (facts, words) => log.warn(facts, words)
  const userCode = await loadUserCode(config, warn, overrides)
  const { handlers, answerers, targets } = userCode
  const arrival = await arrivalOf(userCode, config, warn)
  const isReconciling = config.role !== 'receive' && config.stripeApiKey !== undefined && config.reconcileMinutes > 0
  const metrics = createMetrics(handlers.map, {
    isReconciling,
    requestTypes: [...answerers.keys()],
    targets: targets.map(({ name }) => name),
  })
  const inbox = undo.adopt(
    await openInbox(config.databaseUrl, 'server', { onCommit: metrics.onCommit, log }),
    (opened) => opened.close(),
  )

  const alerts = config.alertUrl && startAlerts({ send: createSend(config.alertUrl), inbox, mode: config.mode, log })
  undo.defer(() => alerts?.stop(0))
  const figures = createFigureCounter()
  const isAnswering = config.role !== 'work' && answerers.size > 0
  const answering = isAnswering ? await openAnswering({ answerers, inbox, log, metrics, alerts }) : undefined
  undo.defer(() => answering?.stop(CLOSING_MS))
  let isDraining = false
  let worker: Worker | undefined
  let forwarder: Forwarder | undefined
  const overrun = createOverrun(config.workerConcurrency, log)
  // Deliveries are stored all the same: only a process that does nothing else is not ready.
  const shared = {
    inbox,
    log,
    answering,
    isDraining: () => isDraining,
    worker: { ...overrun, isAll: config.role === 'work' },
  }
  const tellHeld = createHeldLog(log)
  /** What is added starts at once. */
  async function add(entry: NewEntry) {
    const added = await (worker ?? inbox).add(entry)
    if (entry.forwards?.length && added !== 'duplicate') {
      forwarder?.wake()
      tellHeld(entry.forwards)
      alerts?.onHeld(entry.eventId, entry.forwards)
    }
    return added
  }
  const app = createApp({
    ...shared,
    arrival,
    toleranceSeconds: config.signatureToleranceSeconds,
    maxBodyBytes: config.maxBodyBytes,
    secrets: config.webhookSecrets,
    connectSecrets: config.connectWebhookSecrets,
    onRefused(...refusal) {
      metrics.onRefused(...refusal)
      figures.onRefused(refusal[2])
      alerts?.onRefused(refusal[2])
      operators?.onRefused(...refusal)
    },
    add,
    onAccepted(entry, result) {
      metrics.onAccepted(entry, result)
      figures.onAccepted(entry)
    },
  })
  undo.adopt(startKeeping({ inbox, counter: figures, log }), (keeping) => keeping.stop())
  const publicApp = config.role === 'work' ? createHealthApp(shared) : app
  const operators = await openConsole(config, {
    ...{ inbox, log, describeFault: overrun.describeFault, targets: targets.map(nameTarget) },
    reconcileEveryMs: isReconciling ? config.reconcileMinutes * 60_000 : undefined,
  })
  const adminApp = createAdminApp({ ...shared, renderMetrics: () => metrics.render(inbox), console: operators?.pages })
  const publicAddress = { host: config.host, port: config.port, variable: 'PORT' }
  const adminAddress = { host: config.adminHost, port: config.adminPort, variable: 'ADMIN_PORT' }
  const server = undo.adopt(await listen(publicApp, publicAddress), forceClose)
  const admin = undo.adopt(await listen(adminApp, adminAddress), forceClose)

  const limitMs = config.handlerTimeoutMs + (overrides.standstillMarginMs ?? STANDSTILL_MARGIN_MS)
  const { workerConcurrency: concurrency, logLevel } = config
  const watchdog = startWatchdog({ limitMs, concurrency, isSilent: logLevel === 'silent' })
  undo.adopt(watchdog, (started) => started.stop())
  if (config.role !== 'receive') {
    const { stripeApiKey: apiKey, stripeApiBase: apiBase, stripeRequestsPerSecond: requestsPerSecond } = config
    const clients = createStripeClients({ apiKey, apiBase, requestsPerSecond, log })
    const work = {
      config,
      handlers,
      inbox,
      log,
      metrics,
      figures,
      alerts,
      clients,
      overrun,
      overrides,
      arrival,
      operators,
    }
    worker = startWork(work, watchdog)
    if (targets.length > 0) forwarder = await startForwarding(work, targets)
    if (isReconciling) {
      undo.adopt(startCatchingUp(work, add, findTakenTypes(targets).difference(answerers)), (reconciling) =>
        reconciling.stop(),
      )
    }
    undo.adopt(startChangeRunner({ inbox, log }), (runner) => runner.stop())
    undo.adopt(startHoldReminder({ inbox, log }), (reminder) => reminder.stop())
    undo.adopt(startRetention({ inbox, log, retentionDays: config.retentionDays }), (retention) => retention.stop())
  }

  // Not waited for: it may be a long look at a large store.
  void warnOfStranded(inbox, targets, log)
  const opened = undo.move()
  async function stop(): Promise<boolean> {
    const { shutdownTimeoutMs } = config
    // A request that comes at the very end is answered too.
    const longestMs = Math.max(0, ...answerers.values().map(({ withinMs }) => (isAnswering ? withinMs : 0)))
    const closingMs = Math.min(CLOSING_MS + longestMs, shutdownTimeoutMs / 2)
    const endsAt = performance.now() + shutdownTimeoutMs
    const left = () => endsAt - performance.now()
    isDraining = true
    operators?.stop()
    const working = Promise.all([worker, forwarder].map((each) => each?.stop(left() - closingMs)))
    const isWorkOver = await isOverWithin(left() - closingMs + Math.min(CLOSING_MS, closingMs) / 2, working)
    await alerts?.stop(Math.min(LAST_ALERTS_MS, left() - closingMs / 2))
    await server.close(Math.min(CLOSING_MS, closingMs, left() / 2), answering?.whenReplied)
    return (await isOverWithin(left(), opened.disposeAsync())) && isWorkOver
  }
  let stopping: Promise<boolean> | undefined
  return {
    ...{ url: server.url, address: server.address, adminUrl: admin.url, inbox },
    whenLastReplied: async () => answering?.whenLastReplied(),
    stop: () => (stopping ??= stop()),
  }
}

/** Undefined while it is off: then nothing of it is loaded. */
async function openConsole(
  config: Config,
  parts: Pick<ConsoleOptions, 'inbox' | 'log' | 'describeFault' | 'reconcileEveryMs' | 'targets'>,
) {
  const { consolePassword: password, isConsoleReadOnly: isReadOnly, consolePayloads: payloads, mode } = config
  if (password === undefined) return undefined
  const { createConsole } = await import('./console/console.ts')
  const hosts = [config.adminHost, ...config.adminAllowedHosts]
  return createConsole({ ...parts, mode, password, isReadOnly, payloads, hosts })
}

/** The same of answers. */
async function openAnswering({
  metrics,
  alerts,
  ...options
}: Pick<AnsweringOptions, 'answerers' | 'inbox' | 'log'> & Pick<Work, 'metrics' | 'alerts'>): Promise<Answering> {
  const { startAnswering } = await import('./answers/answering.ts')
  return startAnswering({
    ...options,
    onReplied(...replied) {
      metrics.onReplied(...replied)
      alerts?.onReplied(replied[0], replied[1])
    },
  })
}

interface Work {
  readonly config: Config
  readonly handlers: Handlers
  readonly inbox: Inbox
  readonly log: Log
  readonly metrics: Metrics
  readonly figures: FigureCounter
  readonly alerts: Alerts | undefined
  readonly clients: StripeClients
  readonly overrun: Overrun
  readonly overrides: ServiceOverrides
  readonly arrival: Arrival
  readonly operators: Pick<Console, 'onAttemptEnded'> | undefined
}

function startWork(
  { config, handlers, inbox, log, metrics, figures, alerts, clients: events, overrun, overrides, operators }: Work,
  { watch }: Watchdog,
): Worker {
  const { handlerTimeoutMs: timeoutMs, handlerOverrunMs: overrunMs, maxAttempts, twins } = config
  const dispatch = createDispatch({
    ...{ handlers, events, log, timeoutMs, overrunMs, maxAttempts, twins, watch },
    onOverrunning(change) {
      overrun.onChange(change)
      metrics.onOverrunning(change)
    },
    onStuck: ({ entry: { eventId, type } }) => overrides.onStuck?.({ eventId, type }),
  })
  const leaseMs = timeoutMs + overrunMs + (overrides.leaseMarginMs ?? LEASE_MARGIN_MS)
  return startWorker({
    ...{ inbox, dispatch, log, concurrency: config.workerConcurrency, leaseMs },
    onAttemptEnded(lease, outcome, durationMs) {
      metrics.onAttemptEnded(lease, outcome, durationMs)
      figures.onAttemptEnded(lease, outcome)
      alerts?.onAttemptEnded(lease, outcome)
      operators?.onAttemptEnded(lease, outcome, durationMs)
    },
  })
}

function startCatchingUp(
  { config, handlers, inbox, log, metrics, alerts, clients, arrival }: Work,
  add: Inbox['add'],
  forwarded: ReadonlySet<string>,
): Reconciling {
  return startReconciling({
    inbox: { ...inbox, add },
    clients,
    log,
    taking: { ...handlers, forwarded },
    arrival,
    everyMs: config.reconcileMinutes * 60_000,
    onReconciled(run) {
      metrics.onReconciled(run)
      alerts?.onReconciled(run.types)
    },
  })
}

/** As of the console, nothing of it is loaded while there are no targets. */
async function startForwarding(
  { config, inbox, log, metrics, alerts, overrides }: Work,
  targets: readonly LoadedTarget[],
): Promise<Forwarder> {
  const { startForwarder } = await import('./targets/forwarder.ts')
  const { maxAttempts } = config
  return startForwarder({
    ...{ targets, inbox, log, maxAttempts, proxyEnv: readEnvironment() },
    leaseMarginMs: overrides.leaseMarginMs ?? LEASE_MARGIN_MS,
    onAttemptEnded(lease, outcome, durationMs) {
      metrics.onForwarded(lease.target, outcome, durationMs)
      alerts?.onForwarded(lease, outcome)
    },
    onHeld: (target, reason) => alerts?.onTargetHeld(target, reason),
  })
}

function isOverWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  return Promise.race([work.then(() => true), delay(Math.max(0, ms), false, { ref: false })])
}

const forceClose = (server: HttpServer) => server.close(0)
