import { existsSync } from 'node:fs'
import type { HandlerMap } from '../../src/event.ts'

/** For HANDLERS: what each event's `data.object.metadata.how` asks for, unless there is a file RELEASE_FILE. Heeds no signal. */
export const handlers = {
  'payment_intent.succeeded': async (event) => {
    const isReleased = () => existsSync(process.env.RELEASE_FILE ?? 'release')
    const { how } = event.data.object.metadata ?? {}
    // Never gives the event loop a turn.
    if (how === 'spins') while (!isReleased());
    if (how === 'hangs' && !isReleased()) await new Promise(() => {})
  },
} satisfies HandlerMap
