import { expect, test } from 'vitest'
import { sampleEvent } from '../../../src/testing.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'

const type = 'customer.subscription.deleted'

test('says which subscription ended, when and why', async () => {
  const [item] = sampleEvent(type).data.object.items.data
  if (item === undefined) throw new Error('The sample has no items.')
  const object = {
    ...{ id: 'sub_1', customer: 'cus_1', ended_at: 1_234_567_890 },
    cancellation_details: { reason: 'cancellation_requested', feedback: 'unused', comment: 'Jenny left us' } as const,
    items: { data: [{ ...item, price: { ...item.price, id: 'price_1' } }] },
  }
  const line = await runBuiltIn(sampleEvent(type, { id: 'evt_1', account: 'acct_1Connected', data: { object } }))
  expect(line).toEqual({
    level: 'info',
    msg: 'subscription ended',
    eventId: 'evt_1',
    type,
    account: 'acct_1Connected',
    objectId: 'sub_1',
    status: 'canceled',
    reason: 'cancellation_requested',
    feedback: 'unused',
    endedAt: '2009-02-13T23:31:30.000Z',
    customer: 'cus_1',
    prices: ['price_1'],
  })
  expect(JSON.stringify(line)).not.toContain('Jenny')
})

test.each(['payment_failed', 'payment_disputed'] as const)('warns when the reason is %s', async (reason) => {
  const event = sampleEvent(type, { data: { object: { cancellation_details: { reason } } } })
  expect(await runBuiltIn(event)).toMatchObject({ level: 'warn', reason })
})

test('bears a subscription from before cancellation details existed', async () => {
  const old = { cancellation_details: undefined, customer_account: undefined }
  const line = await runBuiltIn(sampleEvent(type, { data: { object: old } }))
  expect(line).toMatchObject({ level: 'info', reason: null, feedback: null })
})
