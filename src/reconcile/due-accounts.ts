import type { Refusal } from './refusal.ts'
import type { Tally } from './tally.ts'

/** Null: the platform. */
type Account = string | null

/** When each account is looked at next. In memory: a start looks at all. */
export interface DueAccounts {
  /** Of these the ones that are due, those that have waited for longest first. Forgets all others. */
  choose(accounts: readonly Account[]): Account[]
  onLooked(account: Account, found: Tally): void
  onRefused(account: Account, refusal: Pick<Refusal, 'isForAllAccounts' | 'retryAfterMs'>): void
  /** What was found when each account was last looked at, together. */
  found(): number
}

interface Turn {
  readonly dueAt: number
  /** Looks in a row that found nothing missing. */
  readonly quiet: number
  /** Refusals in a row. */
  readonly refused: number
  readonly found: number
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const LONGEST_QUIET = 4

/**
 * An account of which something was missing is due again after `everyMs`. While nothing is, that doubles twice, to an hour at most: a
 * look costs reads, and Stripe rations them. While it is refused, it doubles up to a day, so that it holds up no other.
 */
export function createDueAccounts(everyMs: number, now: () => number = () => performance.now()): DueAccounts {
  const turns = new Map<Account, Turn>()
  const fresh: Turn = { dueAt: Number.NEGATIVE_INFINITY, quiet: 0, refused: 0, found: 0 }
  const of = (account: Account): Turn => turns.get(account) ?? fresh

  return {
    choose(accounts) {
      const known = new Set(accounts)
      for (const account of turns.keys()) if (!known.has(account)) turns.delete(account)
      const due = accounts.filter((account) => of(account).dueAt <= now())
      return due.toSorted((one, other) => Math.sign(of(one).dueAt - of(other).dueAt) || 0)
    },
    onLooked(account, { found, missing }) {
      const quiet = missing > 0 ? 0 : of(account).quiet + 1
      const times = Math.min(2 ** Math.max(0, quiet - 1), LONGEST_QUIET)
      const waitMs = Math.max(everyMs, Math.min(everyMs * times, HOUR_MS))
      turns.set(account, { dueAt: now() + waitMs, quiet, refused: 0, found })
    },
    onRefused(account, { isForAllAccounts, retryAfterMs = 0 }) {
      const turn = of(account)
      // Nothing of the account's own: it is not to wait longer for it.
      const times = isForAllAccounts ? 1 : 2 ** turn.refused
      const waitMs = Math.max(everyMs, Math.min(everyMs * times, DAY_MS), retryAfterMs)
      turns.set(account, { ...turn, dueAt: now() + waitMs, refused: turn.refused + (isForAllAccounts ? 0 : 1) })
    },
    found: () => turns.values().reduce((sum, { found }) => sum + found, 0),
  }
}
