import type { HandlerMap } from '../../src/event.ts'

export const handlers = {
  'customer.subscription.updated': async (_event, ctx) => {
    if (ctx.isSuperseded) return
    const subscription = await ctx.latest()
    if (subscription === undefined) return
    ctx.log.info({ objectId: subscription.id, status: subscription.status }, 'subscription mirrored')
  },
} satisfies HandlerMap
