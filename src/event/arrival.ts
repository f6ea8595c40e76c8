import type { NewEntry } from '../event.ts'
import { parseEnvelope } from './envelope.ts'
import type { ChooseLane } from './lane.ts'
import { judgeMode, type Mode } from './mode.ts'

/** What the configuration makes of an event, however it arrives. */
export interface Arrival {
  readonly mode: Mode
  /** Paths into an event, whose values it can be found by. */
  readonly searchFields: readonly string[]
  /** In place of the default lane. */
  readonly chooseLane?: ChooseLane | undefined
}

/** An entry of the event but for how it came: its body as text and as bytes. Throws as parseEnvelope does. */
export function toArrived(
  text: string,
  body: Uint8Array,
  { mode, searchFields, chooseLane }: Arrival,
): Omit<NewEntry, 'route' | 'source' | 'secret'> {
  const envelope = parseEnvelope(text, searchFields)
  const lane = chooseLane?.(envelope, body) ?? envelope.lane
  return { ...envelope, lane, body, ...judgeMode(envelope, mode) }
}
