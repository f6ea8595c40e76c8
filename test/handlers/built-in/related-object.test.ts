import { expect, test } from 'vitest'
import { relatedObject } from '../../../src/handlers/built-in/related-object.ts'
import { createHandlerContext, thinOf } from '../../support/handler-context.ts'

const event = thinOf('v1.payout.failed', { id: 'po_1', type: 'payout' })

test('gives the fetched object when there is an API key', async () => {
  const { ctx } = await createHandlerContext(event)
  expect(await relatedObject({ fetchRelatedObject: async () => 'fetched' }, ctx)).toBe('fetched')
})

test('fetches nothing without an API key', async () => {
  const { ctx } = await createHandlerContext(event, { hasApiKey: false })
  const fetchRelatedObject = () => Promise.reject(new Error('fetched without a key'))
  expect(await relatedObject({ fetchRelatedObject }, ctx)).toBeUndefined()
})

test('gives nothing when the notification names no object, for which the SDK resolves null', async () => {
  const { ctx } = await createHandlerContext(event)
  expect(await relatedObject({ fetchRelatedObject: async () => null }, ctx)).toBeUndefined()
})

test('rejects when fetching fails, so that the event is retried', async () => {
  const { ctx } = await createHandlerContext(event)
  const fetchRelatedObject = () => Promise.reject(new Error('Stripe does not answer'))
  await expect(relatedObject({ fetchRelatedObject }, ctx)).rejects.toThrow('Stripe does not answer')
})
