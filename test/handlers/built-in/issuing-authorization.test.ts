import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { type Overrides, sampleEvent } from '../../../src/testing.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'

const type = 'issuing_authorization.created'
const run = (object: Overrides<Stripe.Issuing.Authorization>) =>
  runBuiltIn(sampleEvent(type, { id: 'evt_1Snapshot', account: 'acct_1Connected', data: { object } }))

/** Stripe's own; what is left out here is not looked at. */
function decided(reason: string, more: object = {}): Stripe.Issuing.Authorization.RequestHistory {
  return { amount: 4_200, reason, reason_message: null, ...more } as Stripe.Issuing.Authorization.RequestHistory
}

test('says whether a card was let pay', async () => {
  expect(
    await run({ id: 'iauth_1', approved: false, amount: 0, request_history: [decided('webhook_declined')] }),
  ).toEqual({
    level: 'info',
    msg: 'card authorization',
    eventId: 'evt_1Snapshot',
    type,
    account: 'acct_1Connected',
    objectId: 'iauth_1',
    approved: false,
    amount: '42.00',
    currency: 'eur',
    card: expect.stringMatching(/^ic_/),
  })
})

test('warns when the reply to its request did not count, and says why', async () => {
  const late = decided('webhook_timeout')
  expect(await run({ request_history: [late] })).toMatchObject({ level: 'warn', reason: 'webhook_timeout' })
  const rubbish = decided('webhook_error', { reason_message: 'approved is required' })
  expect(await run({ request_history: [rubbish] })).toMatchObject({
    level: 'warn',
    msg: 'card authorization decided by Stripe: the reply to its request did not count',
    reason: 'webhook_error',
    reasonMessage: 'approved is required',
  })
})
