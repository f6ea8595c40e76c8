import type { Inbox } from '../inbox/inbox.ts'
import type { StripeClients } from '../stripe/client.ts'
import { findContext, readContext } from './contexts.ts'
import { type AccountOptions, type Counting, reconcileAccount } from './reconcile-account.ts'
import { explainRefusal, type Refusal, type Unlisted } from './refusal.ts'
import { addTallies, nothing, type Tallies, type Tally } from './tally.ts'
import type { WantedTypes } from './wanted-types.ts'

export interface ReconcileOptions extends AccountOptions {
  readonly inbox: AccountOptions['inbox'] & Pick<Inbox, 'accounts' | 'list' | 'get'>
  readonly clients: AccountOptions['clients'] & Pick<StripeClients, 'hasPlatform'>
  /**
   * This connected account alone, or this context (`acct_a/acct_b`); left out: the platform, and each account that the inbox knows as connected; with `isAll` also each
   * that Stripe knows.
   */
  readonly account?: string | undefined
  /** Which of the accounts to look at now, and in which order; left out: all. */
  readonly choose?: (accounts: readonly (string | null)[]) => readonly (string | null)[]
  /** Told of each account (null: the platform) that was looked at to its end. */
  readonly onLooked?: (account: string | null, found: Tally) => void
  /** Told of what was counted so far, once for each hundred events. */
  readonly onProgress?: (types: Tallies) => void
  /** Ends the run between two accounts. */
  readonly signal?: AbortSignal
}

export interface Reconciled {
  readonly types: Tallies
  /** How many accounts were looked at, the platform included. */
  readonly accounts: number
  /** Accounts (null: the platform) that could not be looked at, or not to the end; the next run begins where they stopped. */
  readonly refusals: readonly (Refusal & { readonly account: string | null })[]
  /** Thin types that Stripe refused to list, each time they were asked for. */
  readonly unlisted: readonly Unlisted[]
}

/** One account may be slow; so many one after the other are the connection. */
const UNREACHED_FOR_ALL = 3
const ACCOUNTS_PAGE = 100
const ACCOUNTS_ASKED = {
  action: 'list the connected accounts: only those that the inbox knows were looked at',
  permission: 'read access to Connect accounts',
}

/**
 * Asks Stripe for what did not get here, and adds what the inbox does not have. Safe to repeat, and beside deliveries: an event is one
 * entry however it comes. What Stripe refuses is in the result; rejects when the inbox fails.
 */
export async function reconcileOnce(options: ReconcileOptions): Promise<Reconciled> {
  const { choose = (all) => all, onLooked, onProgress, signal } = options
  const types = new Map<string, Tally>()
  const refusals: (Refusal & { readonly account: string | null })[] = []
  const unlisted: Unlisted[] = []
  let accounts = 0
  let unreached = 0
  const found = await findAccounts(options)
  if (found.refusal !== undefined) refusals.push({ account: null, ...found.refusal })
  for (const account of choose(found.accounts)) {
    let sum = nothing
    const count = (type: string, tally: Tally): void => {
      sum = addTallies(sum, tally)
      types.set(type, addTallies(types.get(type) ?? nothing, tally))
    }
    try {
      unlisted.push(...(await lookAt(options, account, { count, onBatch: () => onProgress?.(types) })))
      accounts += 1
      unreached = 0
      onLooked?.(account, sum)
    } catch (error) {
      const refusal = explainRefusal(error, account)
      if (refusal === undefined) throw error
      refusals.push({ account, ...refusal })
      unreached = refusal.isConnection ? unreached + 1 : 0
      if (refusal.isForAllAccounts || unreached === UNREACHED_FOR_ALL) break
    }
    if (signal?.aborted) break
  }
  const isUnreached = (index: number) => unreached === UNREACHED_FOR_ALL && index >= refusals.length - unreached
  return {
    types,
    accounts,
    refusals: refusals.map((refusal, index) => ({
      ...refusal,
      isForAllAccounts: refusal.isForAllAccounts || isUnreached(index),
    })),
    unlisted,
  }
}

/** Most accounts are asked for by their ids. */
async function lookAt(options: ReconcileOptions, account: string | null, counting: Counting): Promise<Unlisted[]> {
  const { clients, isDryRun = false } = options
  const inbox = isDryRun ? { ...options.inbox, writeNote: async () => undefined } : options.inbox
  if (account === null || account.includes('/')) return reconcileAccount(options, account, counting)
  const context = await (clients.hasPlatform ? readContext : findContext)(inbox, account)
  try {
    return await reconcileAccount(options, context, counting)
  } catch (error) {
    if (!explainRefusal(error, account)?.isAccountGone) throw error
    // One that is connected to a connected account is reached through that one alone.
    const other = await findContext(inbox, account)
    if (other === context) throw error
    return reconcileAccount(options, other, counting)
  }
}

interface FoundAccounts {
  readonly accounts: readonly (string | null)[]
  /** Why Stripe's list of connected accounts is not in it. */
  readonly refusal?: Refusal
}

/** Those of which any type is wanted: without one Stripe would list them all. */
async function findAccounts({ inbox, clients, account, types, isAll }: ReconcileOptions): Promise<FoundAccounts> {
  const isWanted = (side: keyof WantedTypes) => types[side].snapshot.length + types[side].thin.length > 0
  if (account !== undefined) return { accounts: isWanted('connect') ? [account] : [] }
  const platform = isWanted('account') && clients.hasPlatform ? [null] : []
  if (!isWanted('connect')) return { accounts: platform }
  const connected = new Set(await inbox.accounts())
  if (!isAll || !clients.hasPlatform) return { accounts: [...platform, ...connected] }
  try {
    for await (const { id } of clients.clientOf(null).accounts.list({ limit: ACCOUNTS_PAGE })) connected.add(id)
    return { accounts: [...platform, ...connected] }
  } catch (error) {
    const refusal = explainRefusal(error, null, ACCOUNTS_ASKED)
    if (refusal === undefined) throw error
    return { accounts: [...platform, ...connected], refusal }
  }
}
