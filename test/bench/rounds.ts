import type { BenchContext } from './bench-context.ts'
import type { Checkout } from './checkout.ts'
import type { MeasurementName } from './plan.ts'
import { median } from './statistics.ts'

/** Whose: this checkout's, that of --against, or the docs' sample's under the same. */
export type Whose = 'this' | 'before' | 'sample'

/** What is measured once in each round. */
export interface Turn<Name extends MeasurementName> {
  readonly name: Name
  readonly whose: Whose
}

/** What each round gave, by name; what is not this checkout's stands under `<name>, before` and `<name>, sample`. */
export type Rounds<T> = ReadonlyMap<string, readonly T[]>

/** This checkout's turn. */
export const ownTurn = <Name extends MeasurementName>(name: Name): Turn<Name> => ({ name, whose: 'this' })

/** A turn for this checkout, and one for that of --against where there is one. */
export function turnsOf<Name extends MeasurementName>({ checkouts }: BenchContext, name: Name): Turn<Name>[] {
  const own = ownTurn(name)
  return checkouts.before === undefined ? [own] : [own, { name, whose: 'before' }]
}

/** The checkout of a turn that is not the sample's. */
export function checkoutOf({ checkouts }: BenchContext, whose: Whose): Checkout {
  const checkout = whose === 'before' ? checkouts.before : checkouts.this
  if (checkout === undefined) throw new Error('there is no checkout to stand against')
  return checkout
}

/** Takes the turns that the plan asks for, round by round, so that a slow moment of the machine falls on all of them. */
export async function takeTurns<Name extends MeasurementName, T>(
  { plan, say }: BenchContext,
  turns: readonly Turn<Name>[],
  measure: (turn: Turn<Name>) => Promise<T>,
): Promise<Rounds<T>> {
  const asked = turns.filter(({ name }) => plan.only.has(name))
  const rounds = new Map<string, T[]>(asked.map((turn) => [keyOf(turn), []]))
  for (let round = 1; round <= plan.rounds; round += 1) {
    // There and back, so that nobody always comes after the same one.
    for (const turn of round % 2 === 1 ? asked : asked.toReversed()) {
      say(`round ${round} of ${plan.rounds}: ${keyOf(turn)}`)
      rounds.get(keyOf(turn))?.push(await measure(turn))
    }
  }
  return rounds
}

/** What each round of a turn gave; empty when it was not measured. */
export function measuredOf<T>(rounds: Rounds<T>, turn: Turn<MeasurementName>): readonly T[] {
  return rounds.get(keyOf(turn)) ?? []
}

type Pick<T> = (measured: T) => number | undefined

/** What was picked of each round of a turn; undefined where there was nothing to pick, and empty when it was not measured. */
export function valuesOf<T>(
  rounds: Rounds<T>,
  turn: Turn<MeasurementName>,
  pick: Pick<T>,
): readonly (number | undefined)[] {
  return measuredOf(rounds, turn).map(pick)
}

/** Of the rounds; undefined when there is nothing to take it of. */
export function medianOf<T>(rounds: Rounds<T>, turn: Turn<MeasurementName>, pick: Pick<T>): number | undefined {
  return medianOfKnown(valuesOf(rounds, turn, pick))
}

/**
 * Median of each round's own ratio of one turn to another; undefined when no round had both. On a machine that others used too,
 * the same code came to 0.80 to 1.06 of its own rate this way, and by the ratio of the two medians to 0.63 to 1.31.
 */
export function ratioOf<T>(
  rounds: Rounds<T>,
  turn: Turn<MeasurementName>,
  unit: Turn<MeasurementName>,
  pick: Pick<T>,
  pickUnit = pick,
): number | undefined {
  const units = valuesOf(rounds, unit, pickUnit)
  return medianOfKnown(valuesOf(rounds, turn, pick).map((value, round) => divide(value, units[round])))
}

/** This checkout's median, and its ratio to before: what every row has. NaN when nothing was measured. */
export function compare<T>(
  rounds: Rounds<T>,
  name: MeasurementName,
  pick: Pick<T>,
): { readonly value: number; readonly toBefore: number | undefined } {
  return {
    value: medianOf(rounds, ownTurn(name), pick) ?? Number.NaN,
    toBefore: ratioOf(rounds, ownTurn(name), { name, whose: 'before' }, pick),
  }
}

/** Undefined when there is nothing to divide, or to divide by. */
export function divide(value: number | undefined, unit: number | undefined): number | undefined {
  return value === undefined || unit === undefined || unit === 0 ? undefined : value / unit
}

function medianOfKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : median(known)
}

const keyOf = ({ name, whose }: Turn<MeasurementName>) => (whose === 'this' ? name : `${name}, ${whose}`)
