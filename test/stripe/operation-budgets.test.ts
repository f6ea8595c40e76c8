import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createOperationBudgets, operationOf } from '../../src/stripe/operation-budgets.ts'

describe('an operation is named', () => {
  it.each([
    ['GET', '/v1/payouts/po_1A2b3C', 'GET /v1/payouts/:id'],
    ['GET', '/v1/payouts/po_9Z8y7X', 'GET /v1/payouts/:id'],
    ['POST', '/v1/payment_intents', 'POST /v1/payment_intents'],
    ['POST', '/v1/payment_intents/pi_3N1a/capture', 'POST /v1/payment_intents/:id/capture'],
    ['GET', '/v1/accounts/acct_1A/persons/person_2B', 'GET /v1/accounts/:id/persons/:id'],
    ['GET', '/v1/events?types[0]=payout.failed&limit=100', 'GET /v1/events'],
    ['GET', '/v2/core/events/evt_test_61', 'GET /v2/core/events/:id'],
    ['GET', '/v1/coupons/25OFF', 'GET /v1/coupons/:id'],
  ])('%s %s: %s', (method, path, operation) => {
    expect(operationOf(method, path)).toBe(operation)
  })
})

describe('requests', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  function ask(budgets: ReturnType<typeof createOperationBudgets>, operations: readonly string[], turns: number) {
    const taken = operations.map(() => 0)
    for (const [index, operation] of operations.entries()) {
      for (let turn = 0; turn < turns; turn += 1) {
        void budgets.take(operation).then(() => {
          taken[index] = (taken[index] ?? 0) + 1
        })
      }
    }
    return taken
  }

  it('of one operation do not wait for those of another', async () => {
    const taken = ask(createOperationBudgets(20, 80), ['GET /v1/payouts/:id', 'GET /v1/events'], 200)
    await vi.advanceTimersByTimeAsync(3_000)
    for (const count of taken) {
      expect(count).toBeGreaterThanOrEqual(60)
      expect(count).toBeLessThanOrEqual(62)
    }
  })

  it('of all operations share what all may take together', async () => {
    const taken = ask(createOperationBudgets(20, 20), ['GET /v1/payouts/:id', 'GET /v1/events'], 200)
    await vi.advanceTimersByTimeAsync(3_000)
    const sum = taken.reduce((total, count) => total + count, 0)
    expect(sum).toBeGreaterThanOrEqual(60)
    expect(sum).toBeLessThanOrEqual(62)
    expect(Math.min(...taken)).toBeGreaterThan(20)
  })

  it('that were aborted take nothing', async () => {
    const budgets = createOperationBudgets(20, 20)
    await expect(budgets.take('GET /v1/events', AbortSignal.abort(new Error('over')))).rejects.toThrow('over')
    const taken = ask(budgets, ['GET /v1/events'], 5)
    await vi.advanceTimersByTimeAsync(0)
    expect(taken).toEqual([2])
  })
})
