import fc from 'fast-check'
import { anyCommand, finish, LEASE_MS } from './commands.ts'
import { createReference } from './reference.ts'
import type { StoreUnderModel } from './store.ts'

const LONGEST = 40
const USUAL_SEED = 2026

/**
 * Runs so many random sequences on the store and on the reference; throws with the shortest story in which they part, and the
 * `MODEL_SEED` that shows it again. `MODEL_RUNS` sets another number, of sequences that are new each time.
 */
export async function runModel(store: StoreUnderModel, runs: number): Promise<void> {
  const { MODEL_RUNS, MODEL_SEED } = process.env
  const [seed, ...path] = MODEL_SEED?.split(':') ?? []
  const again = seed === undefined ? {} : { seed: Number(seed), path: path.join(':') }
  // The suite tells the same stories each time; new ones are told by hand.
  const which = MODEL_RUNS === undefined ? { seed: USUAL_SEED, ...again } : again
  const sequences = fc.array(anyCommand, { maxLength: LONGEST, size: 'max' })
  const property = fc.asyncProperty(sequences, async (commands) => {
    const story: string[] = []
    const reference = createReference(store, LEASE_MS)
    const real = { store, story }
    try {
      await fc.asyncModelRun(() => ({ model: reference, real }), commands)
      await finish(reference, real)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new Error([why, ...story.map((line) => `  ${line}`)].join('\n').replaceAll('evt_', ''), { cause: error })
    } finally {
      await store.empty()
    }
  })
  const found = await fc.check(property, { numRuns: Number(MODEL_RUNS ?? runs), ...which })
  if (!found.failed) return
  const { message, cause } = found.errorInstance instanceof Error ? found.errorInstance : new Error('no story')
  const shown = `MODEL_SEED=${found.seed}:${found.counterexamplePath}`
  throw new Error(`${message}\n  (sequence ${found.numRuns}; ${shown})`, { cause })
}
