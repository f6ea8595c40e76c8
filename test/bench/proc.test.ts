import { expect, it } from 'vitest'
import { readPeakMemoryBytes, readProcessorMs } from './proc.ts'

/** Two clocks of the kernel, each rounded to ticks of 10 ms. */
const ROUNDING_MS = 20

it('reads what the process itself is told, and nothing where there is no such process', () => {
  const ownMs = () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1_000
  }
  const [before, read, after] = [ownMs(), readProcessorMs(process.pid), ownMs()]
  if (process.platform === 'linux') {
    expect(read).toBeGreaterThan(before - ROUNDING_MS)
    expect(read).toBeLessThan(after + ROUNDING_MS)
    // The kernel counts pages for each processor, and adds them up now and then.
    expect(Number(readPeakMemoryBytes(process.pid)) / (process.resourceUsage().maxRSS * 1_024)).toBeCloseTo(1, 1)
  }
  expect([readProcessorMs(-1), readPeakMemoryBytes(-1)]).toEqual([undefined, undefined])
})
