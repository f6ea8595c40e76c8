import { beforeEach, describe, expect, it } from 'vitest'
import { createDueAccounts, type DueAccounts } from '../../src/reconcile/due-accounts.ts'

const MINUTE_MS = 60_000
const EVERY_MS = 15 * MINUTE_MS
const HOUR_MS = 60 * MINUTE_MS

let now: number
let due: DueAccounts
beforeEach(() => {
  now = 0
  due = createDueAccounts(EVERY_MS, () => now)
})

/** After how many minutes acct_1 is due. */
function minutesUntilDue(): number {
  const from = now
  for (; due.choose(['acct_1']).length === 0; now += MINUTE_MS);
  return (now - from) / MINUTE_MS
}
const look = (missing = 0) => due.onLooked('acct_1', { found: 7, missing, added: missing })
const refuse = (overrides = {}) => due.onRefused('acct_1', { isForAllAccounts: false, ...overrides })

it('are all at first, in their order', () => {
  expect(due.choose([null, 'acct_2', 'acct_1'])).toEqual([null, 'acct_2', 'acct_1'])
})

describe('an account is due', () => {
  it('later and later while nothing of it is missing, up to an hour, and sooner again once something was', () => {
    const waits = [0, 0, 0, 0, 3, 0, 0].map((missing) => {
      look(missing)
      return minutesUntilDue()
    })
    expect(waits).toEqual([15, 30, 60, 60, 15, 15, 30])
  })

  it.each([
    [5, [5, 10, 20, 20]],
    [45, [45, 60, 60, 60]],
    [120, [120, 120, 120, 120]],
  ])('with %i minutes from run to run after %j', (every, expected) => {
    due = createDueAccounts(every * MINUTE_MS, () => now)
    const waits = expected.map(() => {
      look()
      return minutesUntilDue()
    })
    expect(waits).toEqual(expected)
  })

  it('later and later while it is refused, up to a day, and as ever once it was not', () => {
    const waits = Array.from({ length: 9 }, () => {
      refuse()
      return minutesUntilDue() / 15
    })
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 96, 96])
    look()
    expect(minutesUntilDue()).toBe(15)
    refuse()
    expect(minutesUntilDue()).toBe(15)
  })

  it('no later when the refusal is for all, and no sooner than Stripe wants to be asked', () => {
    const refusals = [{}, {}, { isForAllAccounts: true }, {}, { isForAllAccounts: true, retryAfterMs: 2 * HOUR_MS }]
    const waits = refusals.map((refusal) => {
      refuse(refusal)
      return minutesUntilDue()
    })
    expect(waits).toEqual([15, 30, 15, 60, 120])
  })
})

it('those that have waited for longest come first', () => {
  for (const account of ['acct_1', 'acct_2', 'acct_3']) {
    due.onRefused(account, { isForAllAccounts: true })
    now += MINUTE_MS
  }
  now += HOUR_MS
  due.onRefused('acct_1', { isForAllAccounts: true })
  now += HOUR_MS
  expect(due.choose([null, 'acct_1', 'acct_2', 'acct_3'])).toEqual([null, 'acct_2', 'acct_3', 'acct_1'])
})

it('tells what was found of all accounts when each was last looked at, but for those that are no more', () => {
  due.onLooked(null, { found: 2, missing: 0, added: 0 })
  look()
  due.onLooked('acct_1', { found: 3, missing: 0, added: 0 })
  expect(due.found()).toBe(5)
  refuse()
  expect(due.found()).toBe(5)
  due.choose([null])
  expect(due.found()).toBe(2)
})
