import { type ReceiverErrorCode, suspectRefusals } from '../errors.ts'
import type { Mode } from '../event/mode.ts'
import type { Lease, NewForward, Outcome } from '../event.ts'
import type { ForwardLease, ForwardOutcome } from '../inbox/forwards.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'
import type { Tallies } from '../reconcile/tally.ts'
import { repeat } from '../repeat.ts'
import { composeMessage } from './message.ts'
import { eventDied, forwardDied, forwardHeld, type News, otherwiseReplied, targetHeld, undelivered } from './news.ts'
import { createOutage } from './outage.ts'
import { createPace, type Due } from './pace.ts'
import { createRefusalRate } from './refusal-rate.ts'
import type { Send } from './send.ts'

export interface AlertsOptions {
  readonly send: Send
  readonly inbox: Pick<Inbox, 'check'>
  readonly mode: Mode
  readonly log: Log
}

/** Tells people what must not wait until somebody looks. Whatever becomes of a message, nothing here fails, or keeps a caller. */
export interface Alerts {
  onAttemptEnded(lease: Pick<Lease, 'entry'>, outcome: Outcome): void
  onForwarded(lease: Pick<ForwardLease, 'entry' | 'target'>, outcome: ForwardOutcome): void
  /** Of the forwards of an event as it arrives. */
  onHeld(eventId: string, forwards: readonly NewForward[]): void
  /** Of each reply to a request of that type how it came about. */
  onReplied(type: string, how: string): void
  /** Of each refused delivery the code. */
  onRefused(code: string): void
  onReconciled(types: Tallies): void
  /** Of a target that the server holds, with why. */
  onTargetHeld(target: string, reason: string): void
  /** Sends what still waits, its minute over or not, for so long at most; nothing is sent afterwards. */
  stop(withinMs: number): Promise<void>
}

/** Between two looks at the store. */
const LOOK_MS = 5_000
/** What a delivery is refused for while the store is down. */
const unavailable: readonly string[] = ['store_unavailable', 'overloaded'] satisfies ReceiverErrorCode[]

/** Each process tells for itself. */
export function startAlerts({ send, inbox, mode, log }: AlertsOptions, { lookMs = LOOK_MS } = {}): Alerts {
  const pace = createPace()
  const outage = createOutage()
  const judgeRefusal = createRefusalRate()
  const cutOff = new AbortController()
  const now = () => performance.now()
  let isStopping = false
  let timer: NodeJS.Timeout | undefined
  let timerAt: number | undefined
  let ending: Promise<void> | undefined
  let sending: Promise<boolean> | undefined

  function raise(news: News | undefined): void {
    if (news === undefined || isStopping) return
    pace.add(news, now())
    schedule()
  }

  function schedule(): void {
    const dueAt = pace.dueAt()
    if (dueAt === undefined || dueAt === timerAt || sending !== undefined || isStopping) return
    clearTimeout(timer)
    timerAt = dueAt
    timer = setTimeout(() => void sendDue(), Math.max(0, dueAt - now())).unref()
  }

  async function sendDue(): Promise<void> {
    timerAt = undefined
    const due = pace.take(now())
    if (due !== undefined) {
      sending = trySending(due)
      await sending
      sending = undefined
    }
    schedule()
  }

  async function trySending(due: Due): Promise<boolean> {
    const { kind } = due.news
    const message = composeMessage(kind, due.news.tell(due.sum), mode, now() - due.lastAt)
    const { isSent, answer } = await send(message, cutOff.signal)
    const isKept = pace.onTried(due, isSent, now())
    if (isSent) log.info({ kind }, 'alert sent')
    else log.warn({ kind, answer }, isKept ? 'alert not sent; will try again' : 'alert not sent, and given up')
    return isSent
  }

  async function isStoreUp(): Promise<boolean> {
    try {
      await inbox.check()
      return true
    } catch {
      return false
    }
  }

  async function end(withinMs: number): Promise<void> {
    isStopping = true
    // Nobody waits for its end: a store that hangs would hold up the stop.
    void watching.stop()
    clearTimeout(timer)
    const timeUp = setTimeout(() => cutOff.abort(), withinMs)
    let goesOn = (await sending) ?? true
    while (goesOn && !cutOff.signal.aborted) {
      const due = pace.take(Number.POSITIVE_INFINITY)
      goesOn = due !== undefined && (await trySending(due))
    }
    clearTimeout(timeUp)
  }

  const watching = repeat(lookMs, async () => raise(outage.onLooked(await isStoreUp(), now())))
  return {
    onAttemptEnded({ entry }, outcome) {
      if (outcome.state === 'dead') raise(eventDied(entry, outcome.error))
    },
    onForwarded(lease, outcome) {
      if (outcome.state === 'dead') raise(forwardDied(lease.target, lease.entry.eventId, outcome.error))
    },
    onHeld(eventId, forwards) {
      for (const { target, held } of forwards) if (held !== null) raise(forwardHeld(target, eventId, held))
    },
    onReplied(type, how) {
      if (how === 'otherwise' || how === 'failed') raise(otherwiseReplied(type, how))
    },
    onRefused(code) {
      if (unavailable.includes(code)) outage.onRefused()
      if (suspectRefusals.includes(code)) raise(judgeRefusal(code, now()))
    },
    onReconciled(types) {
      const added = Array.from(types, ([type, tally]) => [type, tally.added] as const).filter(([, count]) => count > 0)
      if (added.length > 0) raise(undelivered(Object.fromEntries(added)))
    },
    onTargetHeld: (target, reason) => raise(targetHeld(target, reason)),
    stop: (withinMs) => (ending ??= end(withinMs)),
  }
}
