import { expect, test } from 'vitest'
import { sampleEvent } from '../../../src/testing.ts'
import { readPayload } from '../../support/read-payload.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'

const type = 'charge.dispute.closed'

test('warns of a lost dispute, with its amount', async () => {
  const event = readPayload(type, 'lago-2020-08-27-charge_dispute_closed')
  expect(await runBuiltIn(event)).toEqual({
    level: 'warn',
    msg: 'dispute closed',
    eventId: event.id,
    type,
    objectId: 'dp_1OzgpEH4tiDZlIUaZ8iWQMsb',
    amount: '45.16',
    currency: 'usd',
    reason: 'fraudulent',
    status: 'lost',
    charge: 'ch_3OzgpDH4tiDZlIUa0M7QchGT',
    paymentIntent: 'pi_3OzgpDH4tiDZlIUa0Ezzggtg',
  })
})

test.each(['won', 'warning_closed', 'prevented'] as const)('says that a dispute is %s', async (status) => {
  const event = sampleEvent(type, { data: { object: { status } } })
  expect(await runBuiltIn(event)).toMatchObject({ level: 'info', status })
})
