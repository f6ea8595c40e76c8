import type { EntryFacts, NewEntry, NewForward } from '../event.ts'
import { parseEnvelope } from './envelope.ts'
import type { ChooseLane } from './lane.ts'
import { judgeMode, type Mode } from './mode.ts'

/** To which targets an event goes, by its facts and its body as text; `hopsBefore`: how many receivers it came through. */
export type ChooseForwards = (
  entry: Pick<EntryFacts, 'type' | 'account' | 'shape' | 'livemode'>,
  text: string,
  hopsBefore: number,
) => readonly NewForward[]

/** What the configuration makes of an event, however it arrives. */
export interface Arrival {
  readonly mode: Mode
  /** Paths into an event, whose values it can be found by. */
  readonly searchFields: readonly string[]
  /** In place of the default lane. */
  readonly chooseLane?: ChooseLane | undefined
  /** Without it, nothing is forwarded. */
  readonly chooseForwards?: ChooseForwards | undefined
}

/**
 * An entry of the event but for how it came: its body as text and as bytes. What is parked is not this server's, and goes nowhere.
 * Throws as parseEnvelope does.
 */
export function toArrived(
  text: string,
  body: Uint8Array,
  { mode, searchFields, chooseLane, chooseForwards }: Arrival,
  hopsBefore = 0,
): Omit<NewEntry, 'route' | 'source' | 'secret'> {
  const envelope = parseEnvelope(text, searchFields)
  const lane = chooseLane?.(envelope, body) ?? envelope.lane
  const arrived = { ...envelope, lane, body, ...judgeMode(envelope, mode) }
  if (chooseForwards === undefined || arrived.state === 'parked') return arrived
  return { ...arrived, forwards: chooseForwards(envelope, text, hopsBefore) }
}
