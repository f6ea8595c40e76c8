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
