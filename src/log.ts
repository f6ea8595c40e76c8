import { type DestinationStream, type Logger, pino } from 'pino'
import { openLogStream } from './log-stream.ts'

export type Log = Logger
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

const MAX_ERROR_TEXT = 2_000

export interface ErrorDescription {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly stack?: string
}

/**
 * What may be said of an error: name, code, message with those of two causes, and stack, scrubbed and bounded. Never throws. Never its
 * other fields, which in the SDK's errors hold bodies and headers.
 */
export function describeError(error: unknown): ErrorDescription {
  try {
    return describe(error)
  } catch {
    // Anything can be thrown: an object without a prototype has no text, and a getter may throw in its turn.
    return { name: 'NonError', message: 'something that has no text was thrown' }
  }
}

function describe(error: unknown): ErrorDescription {
  if (!(error instanceof Error)) return { name: 'NonError', message: scrub(String(error)) }
  const code = 'code' in error && typeof error.code === 'string' ? { code: scrub(error.code) } : {}
  const stack = typeof error.stack === 'string' ? { stack: scrub(error.stack) } : {}
  return { name: scrub(String(error.name)), message: scrub(describeMessages(error)), ...code, ...stack }
}

const MAX_CAUSES = 2

/** `fetch failed: ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:8080`: what a caller can mend is often only in the cause. */
function describeMessages(error: Error): string {
  const texts = [String(error.message)]
  for (let { cause } = error; cause instanceof Error && texts.length <= MAX_CAUSES; { cause } = cause) {
    const code = 'code' in cause && typeof cause.code === 'string' ? [cause.code] : []
    // Some, as those of connecting to several addresses, have a code alone.
    texts.push([...code, String(cause.message)].filter((text) => text !== '').join(': '))
  }
  return texts.join(': ')
}

/** Takes Stripe secrets, API keys, signatures and passwords in URLs out of a text, and bounds its length. */
export function scrub(text: string): string {
  return redact(text.slice(0, MAX_ERROR_TEXT))
}

/**
 * Takes Stripe secrets, API keys, signatures (also those of Standard Webhooks) and user and password in URLs out of a text of any
 * length, also where they stand percent-encoded.
 */
export function redact(text: string): string {
  return text
    .replace(/whsec_[\w+/=-]+/g, 'whsec_[redacted]')
    .replace(/([sr]k_(?:live|test)|\b[sr]k(?!_(?:live|test)_(?!\w)))_\w+/g, '$1_[redacted]')
    .replace(/(v[01](?:=|%3D))[0-9a-f]{16,}/gi, '$1[redacted]')
    .replace(/(\bv1(?:,|%2C))[\w+/%=-]{24,}/gi, '$1[redacted]')
    .replace(/\/\/[^\s/?#:@"'<>]{0,128}:[^\s"'<>]{0,256}@/g, '//[redacted]@')
}

/**
 * The process's logger: JSON lines, or readable ones when standard output is a terminal and pino-pretty is installed (a dev
 * dependency). `destination` replaces standard output.
 */
export async function createLog(level: LogLevel, destination?: DestinationStream): Promise<Log> {
  const options = { level, base: null, serializers: { err: describeError }, timestamp: pino.stdTimeFunctions.isoTime }
  return pino(options, destination ?? (await openPrettyStream()) ?? openLogStream())
}

export interface ProcessLog {
  readonly log: Log
  /** Ends the process, once what was logged is written: a log that nobody takes does not hold it up. */
  exit(code: number): Promise<void>
}

/** The log of a process that ends by itself. */
export async function createProcessLog(level: LogLevel): Promise<ProcessLog> {
  const pretty = await openPrettyStream()
  if (pretty !== undefined) return { log: await createLog(level, pretty), exit: async (code) => process.exit(code) }
  const stream = openLogStream()
  return {
    log: await createLog(level, stream),
    async exit(code) {
      if (await stream.drain(LAST_LINES_MS)) process.exit(code)
      // An exit would wait for the thread in which the write hangs.
      process.kill(process.pid, 'SIGKILL')
    },
  }
}

const LAST_LINES_MS = 500

async function openPrettyStream(): Promise<DestinationStream | undefined> {
  if (!process.stdout.isTTY) return undefined
  try {
    const { default: pretty } = await import('pino-pretty')
    return pretty({ translateTime: 'SYS:HH:MM:ss.l', singleLine: true, sync: true })
  } catch {
    return undefined
  }
}
