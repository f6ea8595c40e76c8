import { setTimeout as delay } from 'node:timers/promises'
import type { Inbox } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'
import type { StripeClients } from '../stripe/client.ts'
import { type Reconciled, type ReconcileOptions, reconcileOnce } from './reconcile.ts'
import { sumOf, type Tallies } from './tally.ts'

export interface ReconcilingOptions extends Pick<ReconcileOptions, 'types' | 'mode'> {
  readonly inbox: Inbox
  readonly clients: StripeClients
  readonly log: Log
  /** From the end of a run to the start of the next. */
  readonly everyMs: number
  /** Told after each run; `isComplete` when Stripe refused nothing of it but accounts that left. */
  readonly onReconciled?: (types: Tallies, isComplete: boolean) => void
}

export interface Reconciling {
  /** Cuts off a run under way; the next process goes on from its checkpoint. */
  stop(): Promise<void>
}

const TURN = 'reconcile'
/** Held by the process that runs, and renewed meanwhile; when it dies, another may run after this. */
const TURN_MS = 30_000
const RENEW_MS = 10_000
const RETRY_TURN_MS = 5_000
/** Not at the start, where they may have been refused: periodic runs would count every delivery under way as missing. */
const GRACE_MS = 60_000
/** Names of the notes of the last full run: when it ended, and how many events Stripe had not delivered. */
export const FINISHED_NOTE = 'reconcile finished'
export const UNDELIVERED_NOTE = 'reconcile undelivered'

/** Reconciles now and then every `everyMs`, in one of the processes on the inbox at a time. */
export function startReconciling(options: ReconcilingOptions): Reconciling {
  const { inbox, log, everyMs } = options
  const stopping = new AbortController()
  const report = createReport(options)

  async function work(): Promise<void> {
    for (let isFirst = true; !stopping.signal.aborted; ) {
      let waitMs = everyMs
      try {
        if (await inbox.takeTurn(TURN, TURN_MS)) {
          waitMs = await run(isFirst)
          isFirst = false
        } else waitMs = Math.min(RETRY_TURN_MS, everyMs)
      } catch (error) {
        log.error({ err: error }, 'reconcile failed; will try again')
      }
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }

  /** Gives the time until the next one. Rests when another process has just done it. */
  async function run(isFirst: boolean): Promise<number> {
    const renewal = setInterval(() => void inbox.takeTurn(TURN, TURN_MS).catch(() => undefined), RENEW_MS)
    try {
      const sinceLastMs = Date.now() - Date.parse((await inbox.readNote(FINISHED_NOTE)) ?? '')
      if (!isFirst && sinceLastMs < everyMs * 0.9) return everyMs - sinceLastMs
      await reconcile(isFirst ? 0 : GRACE_MS)
      return everyMs
    } finally {
      clearInterval(renewal)
      // Gives the turn back. It ends by itself if the store fails.
      await inbox.takeTurn(TURN, 0).catch(() => undefined)
    }
  }

  async function reconcile(graceMs: number): Promise<void> {
    const startedAt = performance.now()
    const { signal } = stopping
    const run = () => reconcileOnce({ ...options, signal, graceMs })
    const result = await options.clients.runWithin(signal, run)
    if (signal.aborted) return
    report(result, Math.round(performance.now() - startedAt))
    if (!isComplete(result)) return
    await inbox.writeNote(UNDELIVERED_NOTE, String(sumOf(result.types).undelivered))
    await inbox.writeNote(FINISHED_NOTE, new Date().toISOString())
  }

  const working = work()
  return {
    stop() {
      stopping.abort(new Error('cut off because the server stopped'))
      return working
    },
  }
}

/** Whether all that can be looked at was. */
function isComplete({ refusals }: Reconciled): boolean {
  return refusals.every(({ isAccountGone }) => isAccountGone)
}

function createReport({ log, onReconciled }: ReconcilingOptions): (result: Reconciled, durationMs: number) => void {
  const told = new Set<string>()
  return (result, durationMs) => {
    const { undelivered, added } = sumOf(result.types)
    for (const { account, message, isAccountGone } of result.refusals) {
      if (!isAccountGone) log.error({ account, reason: message }, 'reconcile was refused; will try again')
      else if (account !== null && !told.has(account))
        log.warn({ account, reason: message }, 'account no longer connected')
      if (isAccountGone && account !== null) told.add(account)
    }
    const types = Object.fromEntries(Array.from(result.types).flatMap(([type, { added: n }]) => (n ? [[type, n]] : [])))
    log.info({ undelivered, added, types, accounts: result.accounts, durationMs }, 'reconciled with Stripe')
    onReconciled?.(result.types, isComplete(result))
  }
}
