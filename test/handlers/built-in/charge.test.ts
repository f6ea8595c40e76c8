import { expect, test } from 'vitest'
import type { ObjectOf } from '../../../src/handlers/built-in/related-object.ts'
import { type Overrides, sampleEvent } from '../../../src/testing.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'

const type = 'charge.refunded'
const facts = { id: 'evt_1', account: 'acct_1Connected' }
const run = (object: Overrides<ObjectOf<typeof type>>) => runBuiltIn(sampleEvent(type, { ...facts, data: { object } }))

test('says how much of a charge was paid back', async () => {
  const part = { amount: 1_000, amount_refunded: 250, refunded: false }
  expect(await run({ id: 'ch_1', ...part, customer: 'cus_1', payment_intent: 'pi_1' })).toEqual({
    level: 'info',
    msg: 'charge refunded',
    eventId: 'evt_1',
    type,
    account: 'acct_1Connected',
    objectId: 'ch_1',
    amount: '10.00',
    amountRefunded: '2.50',
    currency: 'eur',
    refunded: 'in part',
    customer: 'cus_1',
    paymentIntent: 'pi_1',
  })
})

test('says that nothing is left of a charge', async () => {
  const whole = { amount: 500, amount_refunded: 500, currency: 'jpy', refunded: true }
  expect(await run(whole)).toMatchObject({ amount: '500', amountRefunded: '500', refunded: 'in full' })
})
