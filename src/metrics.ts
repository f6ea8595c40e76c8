import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { How } from './answers/answering.ts'
import { suspectRefusals } from './errors.ts'
import { isKnownType } from './event/known-types.ts'
import {
  attemptOutcomes,
  entryStates,
  type HandlerMap,
  type Lease,
  type NewEntry,
  type Outcome,
  type WebhookRoute,
} from './event.ts'
import { type ForwardOutcome, forwardOutcomes, openStates } from './inbox/forwards.ts'
import type { Inbox } from './inbox/inbox.ts'
import type { ReconcileRun } from './reconcile/tally.ts'

/** What is counted of a delivery that was answered 200. */
export type Acceptance = 'stored' | 'parked' | 'duplicate' | 'answered'

export interface Metrics {
  onAccepted(entry: Pick<NewEntry, 'route' | 'createdAt'>, result: Acceptance): void
  /** `none` when it ended before its route could be told. */
  onRefused(route: WebhookRoute | 'none', status: number, reason: string): void
  onAttemptEnded(lease: Lease, outcome: Outcome, durationMs: number): void
  onCommit(items: number, durationMs: number): void
  /** By how much the number of handlers past their time limit changed. */
  onOverrunning(change: 1 | -1): void
  /** Of each reply to a request; `isKept` when that was stored by then. */
  onReplied(type: string, how: How, durationMs: number, isKept: boolean): void
  /** Of each attempt to forward whose end was recorded. */
  onForwarded(target: string, outcome: ForwardOutcome, durationMs: number): void
  /** After a run of reconcile; `isComplete` when Stripe refused nothing of it. */
  onReconciled(run: ReconcileRun): void
  /** In the Prometheus text format, of the content type; reads the entries by state, and how long what is due waits, for it. */
  render(
    inbox: Pick<Inbox, 'counts' | 'oldestPendingMs' | 'held' | 'forwards'>,
  ): Promise<{ readonly contentType: string; readonly text: string }>
}

const DELAY_BUCKETS_SECONDS = [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 15, 60, 300, 1_800, 7_200, 43_200, 259_200]
const HANDLER_BUCKETS_SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30]
const ANSWER_BUCKETS_SECONDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 1.5, 2, 4]
const COMMIT_BUCKETS_SECONDS = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.5]
const BATCH_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/** What a service does beside handling: what is told of that is there only where it is done. */
interface Doing {
  readonly isReconciling?: boolean
  /** Types of the requests that are answered. */
  readonly requestTypes?: readonly string[]
  /** Names of the targets. */
  readonly targets?: readonly string[]
}

/** One registry per service. Every label is from a bounded set: a type that neither the SDK nor the map knows is `other`. */
export function createMetrics(
  map: HandlerMap,
  { isReconciling = false, requestTypes = [], targets = [] }: Doing = {},
): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const define = createDefiners(registry)

  const deliveries = define.counter('deliveries_total', 'Deliveries by route and answered HTTP status', [
    'route',
    'status',
  ])
  const accepted = define.counter('accepted_total', 'Deliveries answered 200, by what became of them', [
    'route',
    'result',
  ])
  const refusals = define.counter('refusals_total', 'Deliveries not answered 200, by reason', ['route', 'reason'])
  const createdToStored = define.histogram(
    'created_to_stored_seconds',
    "From Stripe's created to stored",
    [],
    DELAY_BUCKETS_SECONDS,
  )
  const storedToHandled = define.histogram(
    'stored_to_handled_seconds',
    'From stored to handled',
    [],
    DELAY_BUCKETS_SECONDS,
  )
  const handlerDuration = define.histogram(
    'handler_duration_seconds',
    'Duration of an attempt',
    ['type', 'outcome'],
    HANDLER_BUCKETS_SECONDS,
  )
  const retries = define.counter('retries_total', 'Attempts that failed and will be retried', ['type'])
  const dead = define.counter('dead_total', 'Entries that became dead', ['type'])
  const commitDuration = define.histogram(
    'commit_duration_seconds',
    'Duration of a transaction, its sync included',
    [],
    COMMIT_BUCKETS_SECONDS,
  )
  const commitItems = define.histogram('commit_items', 'Operations that shared a transaction', [], BATCH_BUCKETS)
  const overrunning = define.gauge('handlers_overrunning', 'Handlers that go on after their time limit', [])
  const readInbox = createInboxReader(define)
  // A counter that appears with its first count shows no increase to an alert: these begin at 0.
  for (const route of ['account', 'connect'] as const) {
    for (const status of ['200', '400', '503']) deliveries.inc({ route, status }, 0)
    const results = ['stored', 'parked', 'duplicate', ...(requestTypes.length > 0 ? ['answered'] : [])]
    for (const result of results) accepted.inc({ route, result }, 0)
    for (const reason of suspectRefusals) refusals.inc({ route, reason }, 0)
  }
  const onReplied = requestTypes.length > 0 ? createReplyRecorder(define, requestTypes) : () => undefined
  const forwarding = targets.length > 0 ? createForwardRecorder(define, targets) : undefined
  const onReconciled = isReconciling ? createReconcileRecorder(define) : () => undefined
  /** The one under way, which all who scrape meanwhile share. */
  let rendering: ReturnType<Metrics['render']> | undefined
  async function render(inbox: Parameters<Metrics['render']>[0]): ReturnType<Metrics['render']> {
    await readInbox(inbox)
    await forwarding?.read(inbox)
    return { contentType: registry.contentType, text: await registry.metrics() }
  }
  const labelType = (type: string) => (isKnownType(type) || Object.hasOwn(map, type) ? type : 'other')

  return {
    onAccepted({ route, createdAt }, result) {
      deliveries.inc({ route, status: '200' })
      accepted.inc({ route, result })
      if (result === 'stored' && createdAt !== null) createdToStored.observe(secondsSince(createdAt))
    },
    onRefused(route, status, reason) {
      if (route !== 'none') deliveries.inc({ route, status: String(status) })
      refusals.inc({ route, reason })
    },
    onAttemptEnded({ entry }, outcome, durationMs) {
      const type = labelType(entry.type)
      handlerDuration.observe({ type, outcome: attemptOutcomes[outcome.state] }, durationMs / 1000)
      if (outcome.state === 'handled') storedToHandled.observe(secondsSince(entry.receivedAt))
      if (outcome.state === 'pending') retries.inc({ type })
      if (outcome.state === 'dead') dead.inc({ type })
    },
    onCommit(items, durationMs) {
      commitItems.observe(items)
      commitDuration.observe(durationMs / 1000)
    },
    onOverrunning: (change) => overrunning.inc(change),
    onReplied,
    onForwarded: (...forwarded) => forwarding?.onForwarded(...forwarded),
    onReconciled,
    render(inbox) {
      rendering ??= render(inbox).finally(() => {
        rendering = undefined
      })
      return rendering
    },
  }
}

const PREFIX = 'stripe_receiver_'

function createDefiners(registry: Registry) {
  const registers = [registry]
  return {
    counter: <L extends string>(name: string, help: string, labelNames: L[]) =>
      new Counter({ name: PREFIX + name, help, labelNames, registers }),
    gauge: <L extends string>(name: string, help: string, labelNames: L[]) =>
      new Gauge({ name: PREFIX + name, help, labelNames, registers }),
    histogram: <L extends string>(name: string, help: string, labelNames: L[], buckets: number[]) =>
      new Histogram({ name: PREFIX + name, help, labelNames, buckets, registers }),
  }
}

const hows: readonly How[] = ['answered', 'otherwise', 'failed', 'stored']

function createReplyRecorder(
  define: ReturnType<typeof createDefiners>,
  requestTypes: readonly string[],
): Metrics['onReplied'] {
  const answers = define.counter('answers_total', 'Replies to requests, by how they came about', ['type', 'how'])
  const duration = define.histogram(
    'answer_duration_seconds',
    'From the head of a request to its reply',
    ['type'],
    ANSWER_BUCKETS_SECONDS,
  )
  const unkept = define.counter('answers_before_stored_total', 'Replies that went out before they were stored', [
    'type',
  ])
  for (const type of requestTypes) {
    for (const how of hows) answers.inc({ type, how }, 0)
    unkept.inc({ type }, 0)
  }
  return (type, how, durationMs, isKept) => {
    answers.inc({ type, how })
    duration.observe({ type }, durationMs / 1000)
    if (!isKept) unkept.inc({ type })
  }
}

function createReconcileRecorder(define: ReturnType<typeof createDefiners>): Metrics['onReconciled'] {
  const recovered = define.counter('recovered_total', 'Events that reconcile added, by type', ['type'])
  const undelivered = define.gauge(
    'undelivered',
    'Snapshot events that Stripe had not delivered to at least one endpoint, and thin ones that were missing, when each account was last looked at',
    [],
  )
  const lastSuccess = define.gauge(
    'reconcile_last_success_timestamp_seconds',
    'Unix time of the last reconcile of this process in which Stripe refused nothing, 0 before the first',
    [],
  )
  return ({ types, undelivered: total, isComplete }) => {
    for (const [type, tally] of types) {
      // Only types of the handler map are asked for.
      if (tally.added > 0) recovered.inc({ type }, tally.added)
    }
    undelivered.set(total)
    if (isComplete) lastSuccess.setToCurrentTime()
  }
}

/** Of targets that are configured: others are told by `targets list`. */
function createForwardRecorder(define: ReturnType<typeof createDefiners>, targets: readonly string[]) {
  const duration = define.histogram(
    'forward_duration_seconds',
    'Duration of an attempt to forward',
    ['target', 'outcome'],
    HANDLER_BUCKETS_SECONDS,
  )
  const forwards = define.gauge('forwards', 'Forwards by target and state, but for those delivered or dropped', [
    'target',
    'state',
  ])
  const oldest = define.gauge(
    'oldest_forward_seconds',
    'For how long the event of the first forward that waits, perhaps for a retry, has been here, 0 when none does',
    ['target'],
  )
  const held = define.gauge('target_held', '1 while the target is held, until `targets resume`', ['target'])
  const open = define.gauge('target_circuit_open', '1 while the circuit of the target is open', ['target'])
  return {
    onForwarded(target: string, outcome: ForwardOutcome, durationMs: number): void {
      duration.observe({ target, outcome: forwardOutcomes[outcome.state] }, durationMs / 1000)
    },
    async read(inbox: Pick<Inbox, 'forwards'>): Promise<void> {
      try {
        const [counts, states] = await Promise.all([inbox.forwards.counts(), inbox.forwards.states()])
        for (const gauge of [forwards, oldest, held, open]) gauge.reset()
        // Those too that are named no more, while something is stored for them.
        for (const target of new Set([...targets, ...counts.map((count) => count.target)])) {
          const own = counts.filter((count) => count.target === target)
          const known = states.find((each) => each.target === target)?.state
          for (const state of openStates)
            forwards.set({ target, state }, own.find((count) => count.state === state)?.forwards ?? 0)
          oldest.set({ target }, Math.max(0, ...own.map(({ oldestMs }) => oldestMs ?? 0)) / 1000)
          held.set({ target }, known?.hold ? 1 : 0)
          open.set({ target }, known?.open ? 1 : 0)
        }
      } catch {
        // `inbox_up` tells it.
      }
    },
  }
}

function createInboxReader(
  define: ReturnType<typeof createDefiners>,
): (inbox: Pick<Inbox, 'counts' | 'oldestPendingMs' | 'held'>) => Promise<void> {
  const up = define.gauge('inbox_up', '1 when the inbox answered this scrape', [])
  const entries = define.gauge('entries', 'Entries by state', ['state'])
  const oldest = define.gauge(
    'oldest_pending_seconds',
    'For how long the entry that waits for a worker for longest has been due, 0 when none is',
    [],
  )
  const held = define.gauge('held', '1 while handling is held (`events hold`): no handler starts', [])
  return async (inbox) => {
    try {
      const [counts, oldestMs, hold] = await Promise.all([inbox.counts(), inbox.oldestPendingMs(), inbox.held()])
      for (const state of entryStates) entries.set({ state }, counts[state])
      oldest.set((oldestMs ?? 0) / 1000)
      held.set(hold === null ? 0 : 1)
      up.set(1)
    } catch {
      // The scrape itself must not fail with the store: that is when its numbers are needed.
      up.set(0)
    }
  }
}

function secondsSince(instant: Date): number {
  return Math.max(0, Date.now() - instant.getTime()) / 1000
}
