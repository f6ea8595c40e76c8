import type { HandlerMap } from '../../src/event.ts'

/** The least that a handler can do, so that what is measured is the server. */
export const handlers = { 'payment_intent.succeeded': () => undefined } satisfies HandlerMap
