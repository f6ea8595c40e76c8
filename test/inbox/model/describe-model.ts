import { describe, it } from 'vitest'
import { runModel } from './run-model.ts'
import type { StoreUnderModel } from './store.ts'

/** A sequence takes some 10 ms on a quiet machine, and one that fails is run a few hundred times while it shrinks. */
const LONGEST_MS = 500
const TO_SHRINK_MS = 60_000

/**
 * Compares a store with the reference over so many random sequences. By hand, `MODEL_RUNS=20000` sets another number for each store;
 * a failure prints its story, and which `MODEL_SEED` and `MODEL_PATH` show it again.
 */
export function describeModel(name: string, runs: number, open: () => Promise<StoreUnderModel>): void {
  const { MODEL_RUNS, MODEL_SEED, MODEL_PATH } = process.env
  const numRuns = Number(MODEL_RUNS ?? runs)
  const again = {
    ...(MODEL_SEED === undefined ? {} : { seed: Number(MODEL_SEED) }),
    ...(MODEL_PATH === undefined ? {} : { path: MODEL_PATH }),
  }

  describe(`${name} beside the reference`, () => {
    it('does what that says, in whatever order things happen', {
      timeout: numRuns * LONGEST_MS + TO_SHRINK_MS,
    }, async () => {
      await using store = await open()
      await runModel(store, { numRuns, ...again })
    })
  })
}
