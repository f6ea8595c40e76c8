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
  /** Types of the requests that are answered within their delivery; none when left out. */
  readonly requestTypes?: ReadonlySet<string>
}

/** Why a request does not count for its twin, nor supersede anything: no handler ran. */
const REQUEST_REASON = 'a request for an answer (ANSWERS): no handler runs for it'

/** An entry of the event but for how it came: its body as text and as bytes. Throws as parseEnvelope does. */
export function toArrived(
  text: string,
  body: Uint8Array,
  { mode, searchFields, chooseLane, requestTypes }: Arrival,
): Omit<NewEntry, 'route' | 'source' | 'secret'> {
  const envelope = parseEnvelope(text, searchFields, requestTypes)
  const lane = chooseLane?.(envelope, body) ?? envelope.lane
  const judged = judgeMode(envelope, mode)
  if (judged.state === 'pending' && requestTypes?.has(envelope.type))
    return { ...envelope, lane, body, state: 'handled', reason: REQUEST_REASON }
  return { ...envelope, lane, body, ...judged }
}
