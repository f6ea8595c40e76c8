/** What can be measured, in this order. The measurements of a part (loads, drains, stalls, searches, console) take turns, round by round. */
export const measurementNames = [
  'ceiling',
  'sample',
  'receive',
  'receive-unsearched',
  'receive-targets',
  'receive-slow-sync',
  'postgres-receive',
  'postgres-receive-targets',
  'whole',
  'drain',
  'postgres-drain',
  'postgres-drain-2',
  'claim',
  'postgres-claim',
  'idle',
  'start',
  'answers',
  'forward',
  'postgres-forward',
  'fairness',
  'stall-slow-sync',
  'stall-locked',
  'stall-search',
  'search',
  'postgres-search',
  'console',
  'postgres-console',
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
  /** Of a backlog that is forwarded. */
  readonly forwardEntries: number
  readonly claim: ClaimPlan
  readonly idleDeliveries: number
  /** How long another process holds the lock on the file. */
  readonly lockSeconds: number
  /** Entries of an inbox that is searched, and looked at. */
  readonly filledEntries: number
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
  forwardEntries: 30_000,
  claim: { sizes: [1_000, 100_000, 1_000_000], settled: 1_000_000, oneLane: 100_000, rounds: 300 },
  idleDeliveries: 200,
  lockSeconds: 10,
  filledEntries: 2_000_000,
}

const quickSizes = {
  warmUpSeconds: 0.1,
  drainEntries: 5_000,
  forwardEntries: 1_000,
  claim: { sizes: [1_000, 5_000], settled: 5_000, oneLane: 2_000, rounds: 20 },
  idleDeliveries: 20,
  lockSeconds: 1,
  filledEntries: 20_000,
}
