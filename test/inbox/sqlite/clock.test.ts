import { expect, it } from 'vitest'
import { createClock } from '../../../src/inbox/sqlite/clock.ts'

it('goes with the clock, and a little slower than time while that was set back, until it has caught up', () => {
  let [wall, monotonic] = [1_000_000, 5]
  const now = createClock(
    () => wall,
    () => monotonic,
  )
  const pass = (ms: number, step = 0) => {
    wall += ms + step
    monotonic += ms
    return now()
  }
  expect(pass(10)).toBe(1_000_010)
  expect(pass(10, 60_000)).toBe(1_060_020)
  expect(pass(1_000, -60_000)).toBe(1_060_920)
  expect(pass(100_000)).toBe(1_150_920)
  expect(pass(1_000_000)).toBe(wall)
  expect(pass(10)).toBe(wall)
})
