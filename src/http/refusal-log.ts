import { ReceiverError } from '../errors.ts'
import type { WebhookRoute } from '../event.ts'
import { type Log, scrub } from '../log.ts'

export interface Refusal {
  readonly code: string
  readonly status: number
  /** Undefined for any that is none of the deliveries'. */
  readonly route: WebhookRoute | 'none' | undefined
  /** Undefined when it could not be read. */
  readonly path: string | undefined
  /** The cause: of a ReceiverError its message is said, of anything else all that may be. */
  readonly error: unknown
}

const MAX_PATH = 200
const EVERY_MS = 1_000

/**
 * One line for each code and route in a second, with how many requests it stands for: anyone can have anything refused, and a full
 * disk stops the inbox. The first of them is told at once.
 */
export function createRefusalLog(log: Log): (refusal: Refusal) => void {
  /** Refusals since the last line of their code, of which the last one is told. */
  const since = new Map<string, { count: number; last: Refusal }>()

  function tell({ code, status, path, error }: Refusal, count: number): void {
    const requests = count > 1 ? { requests: count } : {}
    if (!(error instanceof ReceiverError)) {
      log.error({ err: error, ...requests }, 'request failed unexpectedly')
      return
    }
    const told = path === undefined ? {} : { path: scrub(path).slice(0, MAX_PATH) }
    const facts = { code, status, ...told, reason: scrub(error.message), ...requests }
    if (code === 'not_found' || code === 'method_not_allowed') log.debug(facts, 'request refused')
    else log.warn(facts, path === undefined ? 'request refused' : 'delivery refused')
  }

  function tellTheRest(key: string): void {
    const waiting = since.get(key)
    since.delete(key)
    if (waiting === undefined || waiting.count === 0) return
    begin(key, waiting.last)
    tell(waiting.last, waiting.count)
  }

  function begin(key: string, refusal: Refusal): void {
    since.set(key, { count: 0, last: refusal })
    setTimeout(tellTheRest, EVERY_MS, key).unref()
  }

  return (refusal) => {
    const key = `${refusal.code} ${refusal.route}`
    const waiting = since.get(key)
    if (waiting === undefined) {
      begin(key, refusal)
      return tell(refusal, 1)
    }
    waiting.count += 1
    waiting.last = refusal
  }
}
