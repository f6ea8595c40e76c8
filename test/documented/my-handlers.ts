// handlers/my-handlers.ts
import type { Fallback, HandlerMap } from '../../src/event.ts'

export const handlers = {
  'refund.created': async (event, ctx) => {
    const { id, amount, currency } = event.data.object
    const answer = await fetch('https://ledger.example.com/refunds', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': ctx.idempotencyKey },
      body: JSON.stringify({ id, amount, currency }),
      signal: ctx.signal,
    })
    if (answer.status === 422) throw permanent(`the ledger refuses refund ${id}`)
    if (!answer.ok) throw new Error(`the ledger answered ${answer.status}`)
    ctx.log.info({ objectId: id }, 'refund booked')
  },
  'v1.refund.created': async (event, ctx) => {
    const refund = await event.fetchRelatedObject()
    ctx.log.info({ objectId: refund.id }, 'refund seen')
  },
} satisfies HandlerMap

/** Runs for every type without a handler: such an event is then `handled`, not `unhandled`. */
export const fallback: Fallback = (_event, ctx) => {
  ctx.log.info({ known: ctx.known }, 'no handler for this type')
}

/** Known by its name: no retry can help, so the event is dead at once. */
function permanent(message: string): Error {
  return Object.assign(new Error(message), { name: 'PermanentError' })
}
