import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createRequestBudget } from '../../src/stripe/request-budget.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Asks for this many turns, and records in which order they come. */
function askFor(turns: number, perSecond = 50) {
  const budget = createRequestBudget(perSecond)
  const taken: number[] = []
  for (let turn = 0; turn < turns; turn += 1) void budget.take().then(() => taken.push(turn))
  return { budget, taken }
}

it('lets a tenth of a second go at once after a pause, and the budget each second from then on', async () => {
  const { taken } = askFor(200)
  await vi.advanceTimersByTimeAsync(0)
  expect(taken).toHaveLength(5)
  for (const second of [1, 2, 3]) {
    await vi.advanceTimersByTimeAsync(1_000)
    expect(taken.length).toBeLessThanOrEqual(5 + 50 * second)
    expect(taken.length).toBeGreaterThanOrEqual(50 * second)
  }
})

it('saves nothing up over a long pause', async () => {
  const { budget, taken } = askFor(1)
  await vi.advanceTimersByTimeAsync(60_000)
  for (let turn = 1; turn <= 100; turn += 1) void budget.take().then(() => taken.push(turn))
  await vi.advanceTimersByTimeAsync(1_000)
  expect(taken.length).toBeLessThanOrEqual(56)
})

it('gives turns in the order in which they were asked for', async () => {
  const { taken } = askFor(120)
  await vi.advanceTimersByTimeAsync(3_000)
  expect(taken).toEqual(Array.from({ length: 120 }, (_, turn) => turn))
})

it('takes who was aborted out of the queue, so that those behind move up', async () => {
  const { budget, taken } = askFor(5)
  const aborting = new AbortController()
  const aborted = Array.from({ length: 500 }, () => budget.take(aborting.signal).catch((error: Error) => error.message))
  void budget.take().then(() => taken.push(5))
  aborting.abort(new Error('cut off'))
  expect(await Promise.all(aborted)).toEqual(aborted.map(() => 'cut off'))
  await vi.advanceTimersByTimeAsync(25)
  expect(taken).toEqual([0, 1, 2, 3, 4, 5])
})

it('refuses whose signal was aborted before, and takes nothing', async () => {
  const { budget, taken } = askFor(0)
  await expect(budget.take(AbortSignal.abort(new Error('over')))).rejects.toThrow('over')
  for (let turn = 0; turn < 5; turn += 1) void budget.take().then(() => taken.push(turn))
  await vi.advanceTimersByTimeAsync(0)
  expect(taken).toHaveLength(5)
})
