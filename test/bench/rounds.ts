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

/** A turn for this checkout, and one for that of --against where there is one. */
export function turnsOf<Name extends MeasurementName>({ checkouts }: BenchContext, name: Name): Turn<Name>[] {
  const own: Turn<Name> = { name, whose: 'this' }
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

/** What was picked of the rounds of a turn; empty when it was not measured, or has nothing to pick. */
export function valuesOf<T>(
  rounds: Rounds<T>,
  turn: Turn<MeasurementName>,
  pick: (measured: T) => number | undefined,
): number[] {
  return (rounds.get(keyOf(turn)) ?? []).flatMap((measured) => pick(measured) ?? [])
}

/** Undefined when there is no value to take it of. */
export function medianOf<T>(...of: Parameters<typeof valuesOf<T>>): number | undefined {
  const values = valuesOf(...of)
  return values.length === 0 ? undefined : median(values)
}

/** This checkout's median, and its ratio to that of before: what every row has. NaN when nothing was measured. */
export function compare<T>(
  rounds: Rounds<T>,
  name: MeasurementName,
  pick: (measured: T) => number | undefined,
): { readonly value: number; readonly toBefore: number | undefined } {
  const value = medianOf(rounds, { name, whose: 'this' }, pick) ?? Number.NaN
  return { value, toBefore: divide(value, medianOf(rounds, { name, whose: 'before' }, pick)) }
}

/** Undefined when there is nothing to divide by. */
export function divide(value: number, unit: number | undefined): number | undefined {
  return unit ? value / unit : undefined
}

const keyOf = ({ name, whose }: Turn<MeasurementName>) => (whose === 'this' ? name : `${name}, ${whose}`)
