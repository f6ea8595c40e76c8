import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { EventOf, HandlerContext, HandlerMap } from '../../src/event.ts'

/** What a handler shall do, in this order. */
export interface Script {
  /** Holds the event loop. */
  readonly blockMs?: number
  readonly waitMs?: number
  /** Waits until there is a file of this path with `.<attempt>` after it. */
  readonly gate?: string
  readonly hangs?: boolean
  /** Message of the error at the end. */
  readonly throws?: string
}

const RECORD_FILE = process.env.RECORD_FILE ?? 'record.txt'

/** One handler, which does what its event says and appends a line to RECORD_FILE at the start and at the end. It never heeds the signal. */
export const handlers = { 'payout.failed': run } satisfies HandlerMap

async function run(event: EventOf<'payout.failed'>, ctx: HandlerContext): Promise<void> {
  // A test puts its script where Stripe's object would be.
  const { script = {} } = event.data.object as { script?: Script }
  const record = (what: string) =>
    appendFileSync(
      RECORD_FILE,
      `${JSON.stringify({ what, eventId: event.id, lane: ctx.entry.lane, attempt: ctx.attempt })}\n`,
    )
  record('start')
  const blockedUntil = performance.now() + (script.blockMs ?? 0)
  while (performance.now() < blockedUntil);
  if (script.waitMs !== undefined) await delay(script.waitMs)
  while (script.gate !== undefined && !existsSync(`${script.gate}.${ctx.attempt}`)) await delay(5)
  if (script.hangs) await new Promise(() => {})
  record('end')
  if (script.throws !== undefined) throw new Error(script.throws)
}
