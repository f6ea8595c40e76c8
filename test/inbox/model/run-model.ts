import fc from 'fast-check'
import { vi } from 'vitest'
import { anyCommand, finish } from './commands.ts'
import { createReference } from './reference.ts'
import type { StoreUnderModel } from './store.ts'

const LONGEST = 40
/** Whatever a process trusts for a while, such as that no lease ran out, it looks up again. */
const BETWEEN_LOOKS_MS = 2_000

export interface ModelRuns {
  /** Sequences of commands. */
  readonly numRuns: number
  /** As a failure named them, to see it again. */
  readonly seed?: number
  readonly path?: string
}

/** Runs random sequences on the store and on the reference. Throws with the shortest story in which they part. */
export async function runModel(store: StoreUnderModel, runs: ModelRuns): Promise<void> {
  const sequences = fc.array(anyCommand, { maxLength: LONGEST, size: 'max' })
  const property = fc.asyncProperty(sequences, async (commands) => {
    const story: string[] = []
    const reference = createReference(store)
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

  const measure = performance.now.bind(performance)
  let looks = 0
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
    looks += 1
    return measure() + looks * BETWEEN_LOOKS_MS
  })
  try {
    const found = await fc.check(property, runs)
    if (!found.failed) return
    const { message, cause } = found.errorInstance instanceof Error ? found.errorInstance : new Error('no story')
    const again = `MODEL_SEED=${found.seed} MODEL_PATH=${found.counterexamplePath}`
    throw new Error(`${message}\n  (sequence ${found.numRuns}; ${again})`, { cause })
  } finally {
    clock.mockRestore()
  }
}
