// handlers/my-handlers.ts
import type { HandlerMap } from '../../src/event.ts'
import { handlerMap } from '../../src/handlers/built-in/map.ts'

export const handlers = {
  ...handlerMap,
  'payout.failed': (event, ctx) => {
    ctx.log.warn({ objectId: event.data.object.id }, 'somebody has to call the bank')
  },
} satisfies HandlerMap
