import { type BenchContext, makeFolder } from './bench-context.ts'
import { createConsoleRows } from './console-rows.ts'
import { createFilledInboxes } from './filled-inboxes.ts'
import { createFairnessRows, createForwardRows } from './forward-rows.ts'
import { createLoadRows, describeSample } from './load-rows.ts'
import { measureAnswers } from './measure-answers.ts'
import { measureClaims } from './measure-claims.ts'
import { consoleNames, measureConsole } from './measure-console.ts'
import { drainNames, measureDrains } from './measure-drain.ts'
import { measureFairness } from './measure-fairness.ts'
import { forwardNames, measureForwards } from './measure-forwards.ts'
import { measureIdle } from './measure-idle.ts'
import { loadNames, measureLoads } from './measure-loads.ts'
import { measureSearches, searchNames } from './measure-searches.ts'
import { measureStalls, stallNames } from './measure-stalls.ts'
import { measureStarts } from './measure-start.ts'
import { createAnswerRows, createClaimRows, createDrainRows, createIdleRows, createStartRows } from './other-rows.ts'
import type { MeasurementName } from './plan.ts'
import type { Rounds } from './rounds.ts'
import type { Row } from './row.ts'
import { warmUp } from './server-process.ts'
import { createSearchRows, createStallRows } from './stall-rows.ts'

export interface BenchResult {
  readonly rows: readonly Row[]
  /** What whoever reads the rows has to know of the machine. */
  readonly notes: readonly string[]
  /** What each round gave, for whoever wants to look behind the medians. */
  readonly measured: Readonly<Record<string, unknown>>
}

interface Part {
  readonly names: readonly MeasurementName[]
  run(context: BenchContext): Promise<PartResult>
}

interface PartResult {
  readonly rows: readonly Row[]
  readonly rounds: Rounds<unknown>
  readonly notes?: readonly string[]
}

/** Measures what the plan asks for, one after the other; rejects when something could not be measured. */
export async function runBench(context: BenchContext): Promise<BenchResult> {
  const { checkouts } = context
  for (const checkout of checkouts.before === undefined ? [checkouts.this] : [checkouts.this, checkouts.before]) {
    await using folder = await makeFolder(context)
    await warmUp(checkout, folder.path)
  }
  const results: PartResult[] = []
  for (const { names, run } of parts) {
    if (names.some((name) => context.plan.only.has(name))) results.push(await run(context))
  }
  return {
    rows: results.flatMap(({ rows }) => rows),
    notes: results.flatMap(({ notes = [] }) => notes),
    measured: Object.fromEntries(results.flatMap(({ rounds }) => [...rounds])),
  }
}

const parts: readonly Part[] = [
  {
    names: loadNames,
    async run(context) {
      const rounds = await measureLoads(context)
      return { rows: createLoadRows(rounds), rounds, notes: describeSample(rounds) }
    },
  },
  {
    names: drainNames,
    async run(context) {
      const rounds = await measureDrains(context)
      return { rows: createDrainRows(rounds, context.plan.drainEntries), rounds }
    },
  },
  {
    names: ['claim'],
    async run(context) {
      const rounds = await measureClaims(context, 'claim')
      return { rows: createClaimRows(rounds, 'claim'), rounds }
    },
  },
  {
    names: ['postgres-claim'],
    async run(context) {
      const rounds = await measureClaims(context, 'postgres-claim')
      return { rows: createClaimRows(rounds, 'postgres-claim', ' on Postgres'), rounds }
    },
  },
  {
    names: ['idle'],
    async run(context) {
      const rounds = await measureIdle(context)
      return { rows: createIdleRows(rounds), rounds }
    },
  },
  {
    names: ['start'],
    async run(context) {
      const rounds = await measureStarts(context)
      return { rows: createStartRows(rounds), rounds }
    },
  },
  {
    names: ['answers'],
    async run(context) {
      const rounds = await measureAnswers(context)
      return { rows: createAnswerRows(rounds), rounds }
    },
  },
  {
    names: forwardNames,
    async run(context) {
      const rounds = await measureForwards(context)
      return { rows: createForwardRows(rounds), rounds }
    },
  },
  {
    names: ['fairness'],
    async run(context) {
      const rounds = await measureFairness(context)
      return { rows: createFairnessRows(rounds), rounds }
    },
  },
  {
    // Together, since they use the same filled inboxes.
    names: [...stallNames, ...searchNames, ...consoleNames],
    async run(context) {
      await using filled = createFilledInboxes(context)
      const stalls = await measureStalls(context, filled)
      const searches = await measureSearches(context, filled)
      const looks = await measureConsole(context, filled)
      const rows = [
        ...createStallRows(stalls, context.plan),
        ...createSearchRows(searches, context.plan),
        ...createConsoleRows(looks, context.plan),
      ]
      return { rows, rounds: new Map<string, readonly unknown[]>([...stalls, ...searches, ...looks]) }
    },
  },
]
