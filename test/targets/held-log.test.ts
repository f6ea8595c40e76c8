import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createHeldLog } from '../../src/targets/held-log.ts'
import { captureLog } from '../support/log-lines.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout'] }))
afterEach(() => void vi.useRealTimers())

it('tells of the first at once, and of the rest once a second for each target', async () => {
  const { log, lines } = await captureLog()
  const tell = createHeldLog(log)
  const held = (target: string) => ({ target, hops: 1, held: 'its `where` threw' })
  tell([held('shop'), { target: 'books', hops: 1, held: null }])
  for (let index = 0; index < 40; index += 1) tell([held('shop')])
  tell([held('books')])
  const told = () => lines().map(({ target, forwards, reason }) => `${target} ${forwards} ${reason}`)
  expect(told()).toEqual(['shop 1 its `where` threw', 'books 1 its `where` threw'])
  vi.advanceTimersByTime(1_000)
  expect(told().slice(2)).toEqual(['shop 40 its `where` threw'])
  vi.advanceTimersByTime(10_000)
  expect(told()).toHaveLength(3)
  tell([held('shop')])
  expect(told()).toHaveLength(4)
})
