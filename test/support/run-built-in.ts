import type { AnyEvent } from '../../src/event.ts'
import { handlerMap } from '../../src/handlers/built-in/map.ts'
import { type LogLine, type RunHandlerOptions, runHandler } from '../../src/testing.ts'

/** Runs the built-in handler of the event's type. Rejects with what it throws, and unless it writes exactly one line, which it gives. */
export async function runBuiltIn(event: AnyEvent, options?: RunHandlerOptions): Promise<LogLine> {
  const { outcome, error, lines } = await runHandler(handlerMap, event, options)
  if (error !== undefined) throw error
  const [line] = lines
  if (outcome.state === 'handled' && line !== undefined && lines.length === 1) return line
  throw new Error(`Expected one log line and handled, got ${lines.length} and ${outcome.state}.`)
}
