/** What Stripe told of, what of that the inbox did not have, and what was added. */
export interface Tally {
  /**
   * Snapshot events that Stripe has not delivered to at least one endpoint, and thin events that were missing; each event listed
   * when all are asked for.
   */
  readonly found: number
  readonly missing: number
  readonly added: number
}

/** Tallies by event type. */
export type Tallies = ReadonlyMap<string, Tally>

/** What a periodic run did. */
export interface ReconcileRun {
  readonly types: Tallies
  /** What was found when each account was last looked at, together. */
  readonly undelivered: number
  /** Stripe refused no account of this run but those that left. */
  readonly isComplete: boolean
}

export const nothing: Tally = { found: 0, missing: 0, added: 0 }

export function addTallies(one: Tally, other: Tally): Tally {
  return {
    found: one.found + other.found,
    missing: one.missing + other.missing,
    added: one.added + other.added,
  }
}

/** All types together. */
export function sumOf(types: Tallies): Tally {
  return types.values().reduce(addTallies, nothing)
}
