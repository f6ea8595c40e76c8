import { describe, expect, it } from 'vitest'
import { runForwardRounds } from './forward-rounds.ts'

/** More of them by hand: `FORWARD_ROUNDS=20 npx vitest run test/end-to-end/forward-rounds.test.ts`. */
const ROUNDS = Number(process.env.FORWARD_ROUNDS ?? 3)
/** Ten times what a busy machine takes. */
const ROUND_WITHIN_MS = 60_000

describe('kill -9 under load', () => {
  it.each(['SQLite', 'Postgres'] as const)(
    'loses no forward, and repeats one only where an attempt has no recorded end, on %s',
    async (store) => {
      const { problems, ...figures } = await runForwardRounds(store, ROUNDS)
      if (process.env.FORWARD_ROUNDS !== undefined) console.log(store, figures)
      expect(problems).toEqual([])
      // Otherwise the kills met too little to say anything.
      expect(figures.lost).toBeGreaterThan(0)
      expect(figures.forwarded).toBeGreaterThan(figures.events * 2)
    },
    ROUNDS * ROUND_WITHIN_MS,
  )
})
