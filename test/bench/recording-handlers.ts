import { appendFileSync } from 'node:fs'
import type { HandlerMap } from '../../src/event.ts'

const file = process.env.BENCH_STARTS_FILE ?? 'starts.txt'

/** Appends `<event id> <nanoseconds>` when it is started. The clock (CLOCK_MONOTONIC) is one for all processes of a machine. */
export const handlers = {
  'payment_intent.succeeded': (_event, { entry }) => {
    const startedAt = process.hrtime.bigint()
    appendFileSync(file, `${entry.eventId} ${startedAt}\n`)
  },
} satisfies HandlerMap
