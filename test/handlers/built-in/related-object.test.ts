import { expect, test } from 'vitest'
import { relatedObject } from '../../../src/handlers/built-in/related-object.ts'
import { type RunHandlerOptions, runHandler, sampleEvent } from '../../../src/testing.ts'

const type = 'v1.payout.failed'

/** What a handler gets that asks for the object, and how its attempt ended. */
async function ask(event: ReturnType<typeof sampleEvent<typeof type>>, options?: RunHandlerOptions) {
  const got: unknown[] = []
  const handlers = {
    [type]: async (...given: Parameters<typeof relatedObject>) => void got.push(await relatedObject(...given)),
  }
  const { outcome, error } = await runHandler(handlers, event, options)
  return { got, state: outcome.state, error }
}

test('gives the fetched object when there is an API key', async () => {
  const event = sampleEvent(type)
  const { got } = await ask(event)
  expect(got).toMatchObject([{ object: 'payout', id: event.related_object.id }])
})

test('fetches nothing without an API key', async () => {
  const fetchRelatedObject = () => Promise.reject(new Error('fetched without a key'))
  const asked = await ask(sampleEvent(type, { fetchRelatedObject }), { hasApiKey: false })
  expect(asked).toEqual({ got: [undefined], state: 'handled', error: undefined })
})

test('gives nothing when the notification names no object, for which the SDK resolves null', async () => {
  const { got, state } = await ask(sampleEvent(type, { related_object: undefined }))
  expect({ got, state }).toEqual({ got: [undefined], state: 'handled' })
})

test('fails when fetching fails, so that the event is retried', async () => {
  const failure = new Error('Stripe does not answer')
  const asked = await ask(sampleEvent(type, { fetchRelatedObject: () => Promise.reject(failure) }))
  expect(asked).toEqual({ got: [], state: 'pending', error: failure })
})
