import { setTimeout as delay } from 'node:timers/promises'
import type { Inbox } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'
import type { StripeClients } from '../stripe/client.ts'
import { createDueAccounts } from './due-accounts.ts'
import { type Reconciled, type ReconcileOptions, reconcileOnce } from './reconcile.ts'
import { type ReconcileRun, sumOf } from './tally.ts'
import { chooseTypes, findOwnDestinations, type Taking, type WantedTypes } from './wanted-types.ts'

export interface ReconcilingOptions extends Pick<ReconcileOptions, 'arrival'> {
  readonly inbox: Inbox
  readonly taking: Taking
  readonly clients: StripeClients
  readonly log: Log
  /** From the end of a run to the start of the next. A run looks at the accounts that are due; see `createDueAccounts`. */
  readonly everyMs: number
  /** Told after each run that looked at any account. */
  readonly onReconciled?: (run: ReconcileRun) => void
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
/** A type that a destination is asked for meanwhile is looked for from then on: no longer than thin events are asked for again. */
const DESTINATIONS_MS = 3_600_000

/** Reconciles now and then every `everyMs`, in one of the processes on the inbox at a time. */
export function startReconciling(options: ReconcilingOptions): Reconciling {
  const { inbox, log, everyMs } = options
  const stopping = new AbortController()
  const report = createReport(options)
  const readTypes = createTypesReader(options)
  const due = createDueAccounts(everyMs)

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
    const { choose, onLooked } = due
    const run = async () => reconcileOnce({ ...options, types: await readTypes(), choose, onLooked, signal, graceMs })
    const result = await options.clients.runWithin(signal, run)
    if (signal.aborted) return
    for (const refusal of result.refusals) due.onRefused(refusal.account, refusal)
    if (result.accounts + result.refusals.length === 0) return
    report(result, Math.round(performance.now() - startedAt))
    const undelivered = due.found()
    options.onReconciled?.({ types: result.types, undelivered, isComplete: isComplete(result) })
    if (!isComplete(result)) return
    await inbox.writeNote(UNDELIVERED_NOTE, String(undelivered))
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

/** Gives what to look for, by destinations that were read an hour ago or later. */
function createTypesReader({ clients, taking, log }: ReconcilingOptions): () => Promise<WantedTypes> {
  let types: WantedTypes | undefined
  let readAt = Number.NEGATIVE_INFINITY
  const told = new Set<string>()
  return async () => {
    const now = performance.now()
    if (types !== undefined && now - readAt < DESTINATIONS_MS) return types
    const { own, failures } = await findOwnDestinations(clients)
    for (const reason of failures) {
      if (!told.has(reason)) log.warn({ reason }, 'destinations cannot be read: looking for all types, but thin twins')
      told.add(reason)
    }
    // What was read once holds until it can be read again.
    if (failures.length > 0) return types ?? chooseTypes(taking, own)
    types = chooseTypes(taking, own)
    readAt = now
    return types
  }
}

/** Whether all that can be looked at was. */
function isComplete({ refusals }: Reconciled): boolean {
  return refusals.every(({ isAccountGone }) => isAccountGone)
}

function createReport({ log }: ReconcilingOptions): (result: Reconciled, durationMs: number) => void {
  const told = new Set<string>()
  return (result, durationMs) => {
    const { found: undelivered, added } = sumOf(result.types)
    for (const { account, message, isAccountGone } of result.refusals) {
      if (!isAccountGone) log.error({ account, reason: message }, 'reconcile was refused; will try again')
      else if (account !== null && !told.has(account))
        log.warn({ account, reason: message }, 'account no longer connected')
      if (isAccountGone && account !== null) told.add(account)
    }
    for (const { types, message } of result.unlisted) {
      const name = types.join()
      if (!told.has(name)) log.warn({ types, reason: message }, 'Stripe does not list these thin events')
      told.add(name)
    }
    const types = Object.fromEntries(Array.from(result.types).flatMap(([type, { added: n }]) => (n ? [[type, n]] : [])))
    log.info({ undelivered, added, types, accounts: result.accounts, durationMs }, 'reconciled with Stripe')
  }
}
