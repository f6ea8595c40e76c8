import { expect, test } from 'vitest'
import { INFO, readObject, runBuiltIn, snapshotOf } from '../../support/handler-context.ts'

const type = 'charge.refunded'
const run = (changes: object) => runBuiltIn(snapshotOf(type, readObject(type, 'charge', changes)))

test('says how much of a charge was paid back', async () => {
  const changes = { amount: 1_000, amount_refunded: 250, currency: 'eur', customer: 'cus_1', payment_intent: 'pi_1' }
  expect(await run(changes)).toEqual({
    level: INFO,
    msg: 'charge refunded',
    eventId: 'evt_1Snapshot',
    type,
    account: 'acct_1Connected',
    objectId: 'ch_1PgafuB7WZ01zgkWXYmPNZs8',
    amount: '10.00',
    amountRefunded: '2.50',
    currency: 'eur',
    refunded: 'in part',
    customer: 'cus_1',
    paymentIntent: 'pi_1',
  })
})

test('says that nothing is left of a charge', async () => {
  const changes = { amount: 500, amount_refunded: 500, currency: 'jpy', refunded: true }
  expect(await run(changes)).toMatchObject({ amount: '500', amountRefunded: '500', refunded: 'in full' })
})
