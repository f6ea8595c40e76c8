/** What Stripe has not delivered, what of that the inbox did not have, and what was added. */
export interface Tally {
  readonly undelivered: number
  readonly missing: number
  readonly added: number
}

/** Tallies by event type. */
export type Tallies = ReadonlyMap<string, Tally>

export const nothing: Tally = { undelivered: 0, missing: 0, added: 0 }

export function addTallies(one: Tally, other: Tally): Tally {
  return {
    undelivered: one.undelivered + other.undelivered,
    missing: one.missing + other.missing,
    added: one.added + other.added,
  }
}

/** All types together. */
export function sumOf(types: Tallies): Tally {
  return types.values().reduce(addTallies, nothing)
}
