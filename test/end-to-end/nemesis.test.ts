import { describe, expect, it } from 'vitest'
import { faults } from './nemesis/faults.ts'
import { runRounds } from './nemesis/run-rounds.ts'

/** Of each fault. */
const ROUNDS = 2
const LONGEST_MS = 1_000

/** Each waits for processes and leases, so they wait together. */
describe.concurrent('faults in random order, under load', () => {
  it.each(['sqlite', 'postgres'] as const)(
    'lose nothing that was answered 200 and let nothing be handled twice without need, on %s',
    async (store) => {
      const struck = faults.filter((fault) => fault[store])
      const seed = Math.floor(Math.random() * 2 ** 32)
      const rounds = struck.length * ROUNDS
      const report = await runRounds({ store, faults: struck, rounds, seed, longestMs: LONGEST_MS })
      expect(report.story, `with seed ${seed}`).toEqual([])
      expect(report).toMatchObject({ rounds, lost: 0, handledTwice: { unexcused: 0 } })
      expect(report.acknowledged).toBe(report.events)
      // Otherwise the faults met too little to say anything.
      expect(report.acknowledged).toBeGreaterThan(3 * rounds)
      expect(report.twins).toBeGreaterThan(0)
    },
    120_000,
  )
})
