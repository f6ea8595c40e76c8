import type { ChooseLane } from '../event/lane.ts'
import type { EventSource, LaneOf } from '../event.ts'
import { describeError } from '../log.ts'

export interface ChooseLaneOptions {
  readonly laneOf: LaneOf
  /** No function of a user's is to reach Stripe here: one without an API key. */
  readonly parse: EventSource['parse']
  /** Told once for each type whose lane the function does not name, with why. */
  readonly onFault: (fault: { readonly eventId: string; readonly type: string; readonly reason: string }) => void
}

const MAX_TYPES_TOLD = 100

/** Lanes by the user's function, behind their account; the default one wherever that throws or names none: nothing is lost by it. */
export function createChooseLane({ laneOf, parse, onFault }: ChooseLaneOptions): ChooseLane {
  const told = new Set<string>()

  return (entry, body) => {
    const { eventId, type } = entry
    try {
      const name: unknown = laneOf(parse(entry, body))
      if (name === undefined) return entry.lane
      if (isPlainName(name)) return `${entry.account ?? ''}/${name}`
      tell(`it returned ${describe(name)}: expected 1 to 255 printable characters without spaces, or undefined`)
    } catch (error) {
      const { name, message } = describeError(error)
      tell(`it threw ${name}: ${message}`)
    }
    return entry.lane

    function tell(reason: string): void {
      if (told.has(type) || told.size >= MAX_TYPES_TOLD) return
      told.add(type)
      onFault({ eventId, type, reason })
    }
  }
}

function isPlainName(name: unknown): name is string {
  return typeof name === 'string' && /^[\x21-\x7e]{1,255}$/.test(name)
}

/** Never the value: it may be an address or a name. */
function describe(value: unknown): string {
  if (typeof value === 'string') return 'a string that is no plain name'
  if (!(value instanceof Promise)) return value === null ? 'null' : `a value of type ${typeof value}`
  // Nobody waits for it, and a rejection that nobody waits for would end the process.
  value.catch(() => undefined)
  return 'a promise'
}
