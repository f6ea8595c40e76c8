import { setTimeout as delay } from 'node:timers/promises'
import { type ForwardLease, type ForwardOutcome, forwardOutcomes } from '../inbox/forwards.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'
import { createSettling, STORE_RETRY_MS } from '../settle.ts'
import { createWakeUp } from '../wake-up.ts'
import { HELD_BY_SERVER, judge } from './circuit.ts'
import { hastenAll } from './hasten-all.ts'
import { pauseOf } from './judge-answer.ts'
import type { LoadedTarget } from './load.ts'
import { createRate, type Rate } from './rate.ts'
import { createSender, type ProxyEnvironment, type Sender } from './send.ts'
import { type Attempted, sendForward } from './send-forward.ts'
import { createTargetStates } from './target-states.ts'

export interface ForwarderOptions {
  readonly targets: readonly LoadedTarget[]
  readonly inbox: Pick<Inbox, 'forwards' | 'get'>
  readonly log: Log
  readonly maxAttempts: number
  readonly proxyEnv: ProxyEnvironment
  /** What a lease has beyond its attempt's time. */
  readonly leaseMarginMs: number
  /** Told of each attempt whose end was recorded. */
  readonly onAttemptEnded?: (lease: ForwardLease, outcome: ForwardOutcome, durationMs: number) => void
  /** Told of a target that this process has held, with why. */
  readonly onHeld?: (target: string, reason: string) => void
}

export interface Forwarder {
  /** Something may be due. */
  wake(): void
  /** Claims no more, gives running attempts `graceMs`, then cuts them off; resolves once every attempt is settled. */
  stop(graceMs: number): Promise<void>
}

/** One target with what it has under way. */
interface Channel {
  readonly target: LoadedTarget
  readonly sender: Sender
  readonly rate: Rate
  running: number
}

/** How long an idle forwarder trusts that nothing is due, and what it knows of the targets. */
const POLL_MS = 500

/** Starts the loop: claim for every target what it has room for, send, settle, wait. Targets share nothing but the claim. */
export function startForwarder(options: ForwarderOptions): Forwarder {
  const { inbox, log, maxAttempts } = options
  const wakeUp = createWakeUp()
  const shutdown = new AbortController()
  const channels = new Map(options.targets.map((target) => [target.name, createChannel(target, options.proxyEnv)]))
  const leaseMs = Math.max(...options.targets.map(({ timeoutMs }) => timeoutMs)) + options.leaseMarginMs
  const states = createTargetStates({
    inbox,
    log,
    onChanged(target, before, after) {
      if (before.open === null && after.open !== null)
        log.error({ target, failures: after.failures }, 'target fails again and again: its circuit is open')
      if (before.open !== null && after.open === null) log.info({ target }, 'target is back: its circuit is closed')
      if (before.hold !== null || after.hold === null) return
      log.error({ target, reason: after.hold.reason }, 'target is held until `targets resume`')
      options.onHeld?.(target, after.hold.reason)
    },
  })
  let refreshAt = 0
  /** When a rate that left no room at the last look lets the next begin: that may be by the end of a claim for others. */
  let nextAt = Infinity
  const underWay = new Set<Promise<void>>()
  let isStopping = false
  const settling = createSettling<ForwardLease, ForwardOutcome>({
    log,
    isStopping: () => isStopping,
    record: (lease, outcome) => inbox.forwards.settle(lease, outcome),
    async isRecorded({ entry, target, attempt }, { state }) {
      const own = (await inbox.get(entry.eventId))?.forwards.find((forward) => forward.target === target)
      return own?.history.findLast(({ number }) => number === attempt)?.outcome === forwardOutcomes[state]
    },
    refuse: (error) => ({ state: 'dead', status: null, answer: null, error }),
    describe: ({ entry, target, attempt }, { state }) => ({ eventId: entry.eventId, target, attempt, outcome: state }),
  })

  async function work(): Promise<void> {
    while (!isStopping) {
      if (!(await claimAndSend())) await wakeUp.wait(Math.min(POLL_MS, Math.max(0, nextAt - performance.now())))
    }
  }

  /** False when there was nothing to claim, or no room for more. */
  async function claimAndSend(): Promise<boolean> {
    nextAt = Infinity
    try {
      if (performance.now() >= refreshAt) {
        await states.refresh()
        refreshAt = performance.now() + POLL_MS
      }
      if (settling.isBehind()) return false
      const wanted = await findWanted()
      if (wanted.length === 0) return false
      const leases = await inbox.forwards.claim({ wanted, leaseMs })
      for (const lease of leases) start(lease)
      return leases.length > 0
    } catch (error) {
      log.error({ err: error }, 'cannot claim forwards; will try again')
      await delay(STORE_RETRY_MS)
      return false
    }
  }

  async function findWanted() {
    const now = performance.now()
    const wanted = []
    for (const { target, running, rate } of channels.values()) {
      nextAt = Math.min(nextAt, now + rate.waitMs(now))
      const room = Math.min(target.concurrency - running, rate.room(now))
      const verdict = room < 1 ? 'none' : judge(states.of(target.name), Date.now())
      if (verdict === 'none') continue
      if (verdict === 'all') wanted.push({ target: target.name, limit: room })
      else if (await states.tell(target.name, { kind: 'probe', forMs: target.timeoutMs + POLL_MS }))
        wanted.push({ target: target.name, limit: 1 })
    }
    return wanted
  }

  function start(lease: ForwardLease): void {
    const channel = channels.get(lease.target)
    if (channel === undefined) throw new Error(`a forward to ${lease.target} was leased, which nobody asked for`)
    channel.running += 1
    channel.rate.take(1)
    const running = run(channel, lease).finally(() => underWay.delete(running))
    underWay.add(running)
  }

  async function run(channel: Channel, lease: ForwardLease): Promise<void> {
    const startedAt = performance.now()
    const at = Date.now()
    const attempted = await sendForward({ ...channel, maxAttempts }, lease, shutdown.signal)
    const durationMs = performance.now() - startedAt
    const learning = learnFrom(channel.target, attempted, at)
    // Of a target that is well nothing is learned, and its place is free before the settle is durable.
    if (attempted.outcome.state !== 'delivered') await learning
    channel.running -= 1
    wakeUp.wake()
    const recorded = await settling.settle(lease, attempted.outcome)
    await learning
    if (recorded === undefined) return
    // The next of its lane could not begin before.
    if (lease.lane !== null) wakeUp.wake()
    options.onAttemptEnded?.(lease, recorded, durationMs)
    logEnd(log, lease, recorded, Math.round(durationMs))
  }

  async function learnFrom({ name: target, final }: LoadedTarget, { sent }: Attempted, at: number): Promise<void> {
    if (sent === undefined) return
    const { status } = sent
    // Who answers with a final status is up, and does not want this one.
    const isUp = status !== null && ((status >= 200 && status < 300) || final.includes(status))
    if (isUp) {
      const wasOpen = states.of(target).open !== null
      if ((await states.tell(target, { kind: 'success' })) && wasOpen) await hasten(target)
      return
    }
    const pauseMs = pauseOf(sent)
    await states.tell(target, { kind: 'failure', at })
    if (pauseMs !== undefined) await states.tell(target, { kind: 'pause', forMs: pauseMs })
    if (status === 410) await states.tell(target, { kind: 'hold', who: HELD_BY_SERVER, reason: 'it answered 410' })
  }

  /** What failed while the target was away need not wait for its retry. */
  async function hasten(target: string): Promise<void> {
    try {
      await hastenAll(inbox, target)
      wakeUp.wake()
    } catch (error) {
      log.warn({ err: error, target }, 'cannot make due what waits for a retry; each is sent at its time')
    }
  }

  const looping = work()
  return {
    wake: wakeUp.wake,
    async stop(graceMs) {
      isStopping = true
      wakeUp.wake()
      const timer = setTimeout(() => shutdown.abort(), graceMs)
      await looping
      await Promise.all(underWay)
      clearTimeout(timer)
      for (const { sender } of channels.values()) sender.close()
    },
  }
}

function createChannel(target: LoadedTarget, proxyEnv: ProxyEnvironment): Channel {
  return { target, sender: createSender(target, proxyEnv), rate: createRate(target.perSecond), running: 0 }
}

function logEnd(log: Log, { entry, target, attempt }: ForwardLease, outcome: ForwardOutcome, durationMs: number): void {
  const { status } = outcome
  const facts = { eventId: entry.eventId, type: entry.type, target, attempt, status, durationMs }
  if (outcome.state === 'delivered') log.info(facts, 'event forwarded')
  else if (outcome.state === 'dead')
    log.error({ ...facts, reason: outcome.error }, 'forward is dead; replay it once the cause is mended')
  else log.warn({ ...facts, reason: outcome.error, retryInMs: outcome.retryInMs }, 'forward failed; will be sent again')
}
