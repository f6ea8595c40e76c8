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
  /** Types of the requests that are answered within their delivery; none when left out. */
  readonly requestTypes?: ReadonlySet<string>
  /** Without it, nothing is forwarded. */
  readonly chooseForwards?: ChooseForwards | undefined
}

/** Why a request does not count for its twin, nor supersede anything: no handler ran. */
const REQUEST_REASON = 'a request for an answer (ANSWERS): no handler runs for it'

/**
 * An entry of the event but for how it came: its body as text and as bytes. What is parked is not this server's, and a request is
 * answered here: neither is forwarded. Throws as parseEnvelope does.
 */
export function toArrived(
  text: string,
  body: Uint8Array,
  { mode, searchFields, chooseLane, requestTypes, chooseForwards }: Arrival,
  hopsBefore = 0,
): Omit<NewEntry, 'route' | 'source' | 'secret'> {
  const envelope = parseEnvelope(text, searchFields, requestTypes)
  const lane = chooseLane?.(envelope, body) ?? envelope.lane
  const judged = judgeMode(envelope, mode)
  if (judged.state === 'pending' && requestTypes?.has(envelope.type))
    return { ...envelope, lane, body, state: 'handled', reason: REQUEST_REASON }
  const arrived = { ...envelope, lane, body, ...judged }
  if (chooseForwards === undefined || judged.state === 'parked') return arrived
  return { ...arrived, forwards: chooseForwards(envelope, text, hopsBefore) }
}
