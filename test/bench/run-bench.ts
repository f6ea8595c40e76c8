import type { BenchContext } from './bench-context.ts'
import { createLoadRows } from './load-rows.ts'
import { measureClaims } from './measure-claims.ts'
import { drainNames, measureDrains } from './measure-drain.ts'
import { measureIdle } from './measure-idle.ts'
import { loadNames, measureLoads } from './measure-loads.ts'
import { measureStarts } from './measure-start.ts'
import { createClaimRows, createDrainRows, createIdleRows, createStartRows } from './other-rows.ts'
import type { MeasurementName } from './plan.ts'
import type { Row } from './row.ts'

export interface BenchResult {
  readonly rows: readonly Row[]
  /** What each round gave, for whoever wants to look behind the medians. */
  readonly measured: Readonly<Record<string, unknown>>
}

interface Part {
  readonly names: readonly MeasurementName[]
  run(context: BenchContext): Promise<BenchResult>
}

/** Measures what the plan asks for, one after the other; rejects when something could not be measured. */
export async function runBench(context: BenchContext): Promise<BenchResult> {
  const results: BenchResult[] = []
  for (const { names, run } of parts) {
    if (names.some((name) => context.plan.only.has(name))) results.push(await run(context))
  }
  return {
    rows: results.flatMap(({ rows }) => rows),
    measured: Object.assign({}, ...results.map(({ measured }) => measured)),
  }
}

const parts: readonly Part[] = [
  {
    names: loadNames,
    async run(context) {
      const results = await measureLoads(context)
      return { rows: createLoadRows(results), measured: Object.fromEntries(results) }
    },
  },
  {
    names: drainNames,
    async run(context) {
      const rates = await measureDrains(context)
      return { rows: createDrainRows(rates, context.plan.drainEntries), measured: Object.fromEntries(rates) }
    },
  },
  {
    names: ['claim'],
    async run(context) {
      const claim = await measureClaims(context, 'sqlite')
      return { rows: createClaimRows(claim), measured: { claim } }
    },
  },
  {
    names: ['postgres-claim'],
    async run(context) {
      const claim = await measureClaims(context, 'postgres')
      return { rows: createClaimRows(claim, ' on Postgres'), measured: { 'postgres-claim': claim } }
    },
  },
  {
    names: ['idle'],
    async run(context) {
      const idle = await measureIdle(context)
      return { rows: createIdleRows(idle), measured: { idle } }
    },
  },
  {
    names: ['start'],
    async run(context) {
      const start = await measureStarts(context)
      return { rows: createStartRows(start), measured: { start } }
    },
  },
]
