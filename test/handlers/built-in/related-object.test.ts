import { expect, test } from 'vitest'
import type { HandlerMap } from '../../../src/event.ts'
import { relatedObject } from '../../../src/handlers/built-in/related-object.ts'
import { type RunHandlerOptions, runHandler, sampleEvent } from '../../../src/testing.ts'

const type = 'v1.payout.failed'
const unreachable = sampleEvent(type, { fetchRelatedObject: () => Promise.reject(new Error('Stripe does not answer')) })

/** What a handler of the event gets. */
async function runRelated(event = sampleEvent(type), options?: RunHandlerOptions) {
  const seen: unknown[] = []
  const handlers = { [type]: async (_event, ctx) => void seen.push(await relatedObject(ctx)) } satisfies HandlerMap
  const { error } = await runHandler(handlers, event, options)
  return { seen, error }
}

test('gives the fetched object when there is an API key', async () => {
  const event = sampleEvent(type, { related_object: { id: 'po_1' } })
  expect((await runRelated(event)).seen).toEqual([expect.objectContaining({ id: 'po_1', object: 'payout' })])
})

test('fetches nothing without an API key', async () => {
  expect(await runRelated(unreachable, { hasApiKey: false })).toEqual({ seen: [undefined], error: undefined })
})

test('rejects when fetching fails, so that the event is retried', async () => {
  const { seen, error } = await runRelated(unreachable)
  expect({ seen, error }).toEqual({ seen: [], error: expect.objectContaining({ message: 'Stripe does not answer' }) })
})
