import type { HandlerMap, LaneOf } from '../../src/event.ts'

export const handlers = {
  'invoice.paid': (event, ctx) => ctx.log.info({ objectId: event.data.object.id }, 'one at a time for each customer'),
  'customer.subscription.updated': (event, ctx) => ctx.log.info({ objectId: event.data.object.id }, 'so is this'),
} satisfies HandlerMap

/** Runs on arrival, before the event is stored. */
export const lane: LaneOf = (event) => {
  if (event.object !== 'event') return undefined
  if (event.type !== 'invoice.paid' && event.type !== 'customer.subscription.updated') return undefined
  const { customer } = event.data.object
  return typeof customer === 'string' ? customer : customer?.id
}
