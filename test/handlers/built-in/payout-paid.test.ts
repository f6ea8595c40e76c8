import type Stripe from 'stripe'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createStripeClients } from '../../../src/stripe/client.ts'
import { readPayload } from '../../support/read-payload.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'
import { listOf, type StripeApiDouble, serverError, startStripeApiDouble } from '../../support/stripe-api-double.ts'

const type = 'payout.paid'
const captured = readPayload(type, 'rubymock-payout.paid')
const automatic = { ...captured.data.object, automatic: true, reconciliation_status: 'completed' } as const
const PATH = '/v1/balance_transactions'

let api: StripeApiDouble
let stripe: Stripe
beforeEach(async () => {
  api = await startStripeApiDouble()
  stripe = createStripeClients({ apiKey: api.key, apiBase: new URL(api.url) }).clientOf('acct_1')
})
afterEach(async () => {
  const { problems } = api
  await api.close()
  expect(problems).toEqual([])
})

let lastId = 0
function transaction(net: number, kind = 'charge') {
  lastId += 1
  return { id: `txn_${lastId}`, object: 'balance_transaction', type: kind, net }
}
const run = (object: Stripe.Payout) => runBuiltIn({ ...captured, data: { object } }, { stripe })

test('says what reached the bank, and when', async () => {
  expect(await runBuiltIn(captured, { hasApiKey: false })).toEqual({
    level: 'info',
    msg: 'payout paid',
    eventId: captured.id,
    type,
    objectId: 'po_000000000000000000000000',
    amount: '11.00',
    currency: 'usd',
    status: 'paid',
    destination: 'ba_000000000000000000000000',
    arrivalDate: '2022-03-28T00:00:00.000Z',
    transactions: null,
  })
})

test('counts what an automatic payout is made of, page for page, and finds that it adds up', async () => {
  const pages = [
    [transaction(-1_100, 'payout'), transaction(900)],
    [transaction(250), transaction(-50, 'refund')],
  ]
  api.route('GET', PATH, ({ query }) => {
    const isFirst = query.get('starting_after') === null
    return listOf(pages[isFirst ? 0 : 1] ?? [], { url: PATH, hasMore: isFirst })
  })
  expect(await run(automatic)).toMatchObject({ level: 'info', msg: 'payout paid', transactions: 3 })
  expect(api.requests.map(({ query, headers }) => [query.get('payout'), headers['stripe-account']])).toEqual([
    [automatic.id, 'acct_1'],
    [automatic.id, 'acct_1'],
  ])
})

test('warns of a payout that its transactions do not add up to', async () => {
  api.route('GET', PATH, () => listOf([transaction(1_000)], { url: PATH }))
  expect(await run(automatic)).toMatchObject({
    level: 'warn',
    transactions: 1,
    msg: expect.stringContaining('not add up'),
  })
})

test('stops counting at a thousand', async () => {
  api.route('GET', PATH, () => {
    const page = Array.from({ length: 100 }, () => transaction(1))
    return listOf(page, { url: PATH, hasMore: true })
  })
  expect(await run(automatic)).toMatchObject({ level: 'info', transactions: null })
  expect(api.requests).toHaveLength(11)
})

test.each([
  ['is not automatic', { ...automatic, automatic: false }],
  ['is not known whole yet', { ...automatic, reconciliation_status: 'in_progress' as const }],
])('looks up nothing of a payout that %s', async (_which, payout) => {
  expect(await run(payout)).toMatchObject({ level: 'info', transactions: null })
  expect(api.requests).toEqual([])
})

test('fails when Stripe does, so that the event is retried', async () => {
  api.route('GET', PATH, serverError)
  await expect(run(automatic)).rejects.toMatchObject({ statusCode: 500 })
})
