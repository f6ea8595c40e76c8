import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { retryDelay } from '../src/retry-delay.ts'

const middle = () => 0.5
const HOUR_MS = 3_600_000

describe('retryDelay', () => {
  it('grows threefold from 10 s to 6 h', () => {
    const delays = [1, 2, 3, 4, 7, 8, 19].map((attempt) => retryDelay(attempt, 20, middle))
    expect(delays).toEqual([10_000, 30_000, 90_000, 270_000, 7_290_000, 6 * HOUR_MS, 6 * HOUR_MS])
  })

  it('gives up when the attempts are used up', () => {
    expect(retryDelay(20, 20, middle)).toBeUndefined()
    expect(retryDelay(21, 20, middle)).toBeUndefined()
    expect(retryDelay(1, 1, middle)).toBeUndefined()
  })

  it('spans about three days with twenty attempts', () => {
    const total = Array.from({ length: 19 }, (_, index) => retryDelay(index + 1, 20, middle) ?? 0).reduce(
      (sum, delay) => sum + delay,
    )
    expect(total / (24 * HOUR_MS)).toBeGreaterThan(2.5)
    expect(total / (24 * HOUR_MS)).toBeLessThan(3.5)
  })

  it('stays within 20 % of the plan, whatever the dice say', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, dice) => {
        const planned = retryDelay(attempt, 100, middle) ?? 0
        const delay = retryDelay(attempt, 100, () => dice) ?? 0
        return delay >= Math.floor(planned * 0.8) && delay <= Math.ceil(planned * 1.2)
      }),
    )
  })
})
