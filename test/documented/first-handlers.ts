// handlers/my-handlers.ts
import type { HandlerMap } from '../../src/event.ts'

export const handlers = {
  'payout.failed': (event, ctx) => {
    const { id, failure_code } = event.data.object
    ctx.log.warn({ objectId: id, failureCode: failure_code }, 'somebody has to call the bank')
  },
} satisfies HandlerMap
