import { ReceiverError } from '../errors.ts'
import type { WebhookRoute } from '../event.ts'
import { type Log, scrub } from '../log.ts'
import { createOnceASecond } from '../once-a-second.ts'

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

/**
 * One line for each code and route in a second, with how many requests it stands for: anyone can have anything refused, and a full
 * disk stops the inbox. The first of them is told at once.
 */
export function createRefusalLog(log: Log): (refusal: Refusal) => void {
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

  const tellOnceASecond = createOnceASecond(tell)
  return (refusal) => tellOnceASecond(`${refusal.code} ${refusal.route}`, refusal)
}
