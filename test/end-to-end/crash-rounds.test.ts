import { describe, expect, it } from 'vitest'
import { faults } from './nemesis/faults.ts'
import { runRounds } from './nemesis/run-rounds.ts'

/** Of each fault. */
const ROUNDS = 2
const LONGEST_MS = 600
/** Ten times what a busy machine takes. */
const WITHIN_MS = 600_000

/** Each waits for processes and leases, so they wait together. */
describe.concurrent('faults in random order, under load', () => {
  it.each(['sqlite', 'postgres'] as const)(
    'lose nothing that was answered 200, and let nothing be handled twice without need, on %s',
    async (store) => {
      const seed = Math.floor(Math.random() * 2 ** 32)
      const rounds = ROUNDS * faults.filter((fault) => fault[store]).length
      const report = await runRounds({ store, faults, rounds, seed, longestMs: LONGEST_MS })
      expect(report.story, `with seed ${seed}`).toEqual([])
      expect(report.rounds).toBe(rounds)
      expect(report.acknowledged).toBe(report.events)
      expect(report.twins).toBeGreaterThan(0)
    },
    WITHIN_MS,
  )
})
