/** What can be measured, in this order. Loads take turns, round by round, and so do drains. */
export const measurementNames = [
  'ceiling',
  'sample',
  'receive',
  'postgres-receive',
  'whole',
  'drain',
  'postgres-drain',
  'postgres-drain-2',
  'claim',
  'postgres-claim',
  'idle',
  'start',
] as const
export type MeasurementName = (typeof measurementNames)[number]

/** How much of everything. */
export interface Plan {
  readonly only: ReadonlySet<MeasurementName>
  readonly rounds: number
  readonly loadSeconds: number
  /** Sent before the clock starts: V8 compiles the servers' hot paths meanwhile. */
  readonly warmUpSeconds: number
  readonly drainEntries: number
  readonly claim: ClaimPlan
  readonly idleDeliveries: number
  readonly starts: number
}

export interface ClaimPlan {
  /** Entries waiting, ascending. */
  readonly sizes: readonly number[]
  /** Settled ones in the file beside the largest size: SQLite only, as what follows. */
  readonly settled: number
  /** Entries of one lane at the head of the largest size. */
  readonly oneLane: number
  readonly rounds: number
}

export interface PlanOptions {
  readonly only: readonly MeasurementName[]
  readonly rounds: number
  readonly seconds: number
  readonly quick: boolean
}

export function createPlan({ only, rounds, seconds, quick }: PlanOptions): Plan {
  return {
    only: new Set(only),
    rounds,
    loadSeconds: seconds,
    ...(quick ? quickSizes : fullSizes),
  }
}

const fullSizes = {
  warmUpSeconds: 1.5,
  drainEntries: 100_000,
  claim: { sizes: [1_000, 100_000, 1_000_000], settled: 1_000_000, oneLane: 100_000, rounds: 300 },
  idleDeliveries: 200,
  starts: 5,
}

const quickSizes = {
  warmUpSeconds: 0.1,
  drainEntries: 5_000,
  claim: { sizes: [1_000, 5_000], settled: 5_000, oneLane: 2_000, rounds: 20 },
  idleDeliveries: 20,
  starts: 1,
}
