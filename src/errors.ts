/** Everything that can go wrong and is expected to. A code names the cause; callers outside see only a fixed sentence for it. */
export type ReceiverErrorCode =
  | 'signature_missing'
  | 'signature_malformed'
  | 'signature_mismatch'
  | 'timestamp_too_old'
  | 'timestamp_in_future'
  | 'secret_not_configured'
  | 'bad_payload'
  | 'body_too_large'
  | 'body_incomplete'
  | 'encoding_unsupported'
  | 'method_not_allowed'
  | 'not_found'
  | 'request_malformed'
  | 'request_timeout'
  | 'headers_too_large'
  | 'store_unavailable'
  | 'overloaded'
  | 'config_invalid'
  | 'handlers_invalid'
  | 'answers_invalid'
  | 'targets_invalid'
  | 'address_unusable'
  | 'inbox_in_use'
  | 'inbox_missing'
  | 'inbox_unusable'

/** Refusals that tell of a wrong secret, proxy or clock, or of a forger: when there are many, a person has to look. */
export const suspectRefusals: readonly string[] = [
  'signature_mismatch',
  'timestamp_too_old',
  'timestamp_in_future',
  'secret_not_configured',
] satisfies ReceiverErrorCode[]

/** An expected failure. Its message is for operators: it says what was expected, what came, and what to do, and never holds a secret or a body. */
export class ReceiverError extends Error {
  override readonly name = 'ReceiverError'
  readonly code: ReceiverErrorCode

  constructor(code: ReceiverErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Thrown by a handler when no retry can help: the entry is dead at once, and waits for a person and a replay. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError'
}

/**
 * Whether a handler's failure is permanent. Goes by name, so that a module outside this tree can throw
 * `Object.assign(new Error('…'), { name: 'PermanentError' })` without importing this file.
 */
export function isPermanentError(error: unknown): boolean {
  try {
    return error instanceof Error && error.name === 'PermanentError'
  } catch {
    // Anything can be thrown, an object whose every property throws too.
    return false
  }
}

const LONGEST_RETRY_AFTER_MS = 86_400_000

/**
 * When a request that a rate limit refused (429) may be sent again, in milliseconds from the answer, a day at most; undefined when the
 * error is another, or names no time. Goes by what the SDK's errors hold, and by two causes, so that a handler may throw one of its own.
 */
export function retryAfter(error: unknown): number | undefined {
  try {
    for (let at = error, depth = 0; at instanceof Error && depth < 3; at = at.cause, depth += 1) {
      if (!('statusCode' in at) || at.statusCode !== 429 || !('headers' in at)) continue
      const { headers } = at
      const seconds =
        typeof headers === 'object' && headers !== null && 'retry-after' in headers && headers['retry-after']
      if (typeof seconds === 'string' && /^\d+$/.test(seconds))
        return Math.min(Number(seconds) * 1_000, LONGEST_RETRY_AFTER_MS)
    }
  } catch {
    // Anything can be thrown, an object whose every property throws too.
  }
  return undefined
}
