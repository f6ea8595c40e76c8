import { expect, test } from 'vitest'
import { relatedObject } from '../../../src/handlers/built-in/related-object.ts'
import { createHandlerContext, thinOf } from '../../support/handler-context.ts'

const makeEvent = (fetched: unknown) => thinOf('v1.payout.failed', { id: 'po_1', type: 'payout' }, fetched)

test('gives the fetched object when there is an API key', async () => {
  const { ctx } = await createHandlerContext(makeEvent({ id: 'po_1' }))
  expect(await relatedObject(ctx)).toEqual({ id: 'po_1' })
})

test('fetches nothing without an API key', async () => {
  const { ctx } = await createHandlerContext(makeEvent(new Error('fetched without a key')), { hasApiKey: false })
  expect(await relatedObject(ctx)).toBeUndefined()
})

test('rejects when fetching fails, so that the event is retried', async () => {
  const { ctx } = await createHandlerContext(makeEvent(new Error('Stripe does not answer')))
  await expect(relatedObject(ctx)).rejects.toThrow('Stripe does not answer')
})
