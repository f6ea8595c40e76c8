import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { warnOfLoopDelay } from '../../src/answers/loop-delay.ts'
import { eventually } from '../support/eventually.ts'
import { captureLog } from '../support/log-lines.ts'

const LOOK_MS = 100
/** The loop's delay is known after some turns of it alone. */
const CALM_MS = 70
let stop = () => {}
afterEach(() => stop())

/** Each time also when it is time to look. */
async function standStillOnce(): Promise<void> {
  await delay(CALM_MS)
  const until = performance.now() + 150
  while (performance.now() < until);
}

it('warns of a loop that stood still for more than a tenth of the time for an answer, and of what helps', async () => {
  const { log, lines } = await captureLog()
  stop = warnOfLoopDelay(1_000, log, LOOK_MS)
  await eventually('a warning', async () => {
    await standStillOnce()
    return lines().length > 0
  })
  const [warning] = lines()
  expect(warning).toMatchObject({ withinMs: 1_000, msg: expect.stringMatching(/stood still.*ROLE/) })
  expect(warning?.delayMs).toBeGreaterThan(100)
})

it('does not warn of a loop that is idle, however short the time for an answer is', async () => {
  const { log, lines } = await captureLog()
  // Its tenth is less than the time between two looks of the measurement at the loop.
  stop = warnOfLoopDelay(190, log, LOOK_MS)
  await delay(10 * LOOK_MS)
  // Some of them, on a busy machine.
  expect(lines().length).toBeLessThan(5)
})

it('does not warn of less', async () => {
  const { log, lines } = await captureLog()
  // The other, which looks at the same loop, tells when both have looked.
  const [longer, shorter] = [warnOfLoopDelay(3_600_000, log, LOOK_MS), warnOfLoopDelay(1_000, log, LOOK_MS)]
  stop = () => [longer, shorter].forEach((each) => void each())
  await eventually('a warning', async () => {
    await standStillOnce()
    return lines().length > 0
  })
  expect(lines().every(({ withinMs }) => withinMs === 1_000)).toBe(true)
})
