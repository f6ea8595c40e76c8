import type Stripe from 'stripe'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseEnvelope } from '../../../src/event/envelope.ts'
import { createStripeClients } from '../../../src/stripe/client.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'
import { thinJson } from '../../support/sign.ts'
import { type StripeApiDouble, serverError, startStripeApiDouble } from '../../support/stripe-api-double.ts'

const type = 'v2.core.health.event_generation_failure.resolved'

let api: StripeApiDouble
beforeEach(async () => {
  api = await startStripeApiDouble()
})
afterEach(async () => {
  const { problems } = api
  await api.close()
  expect(problems).toEqual([])
})

/** The line about an event of the platform whose data has this impact. */
async function run(impact: object, { hasApiKey = true } = {}) {
  const json = thinJson({ id: 'evt_1', type, related_object: undefined })
  const clients = createStripeClients({ apiKey: hasApiKey ? api.key : undefined, apiBase: new URL(api.url) })
  const event = clients.parse(parseEnvelope(json), Buffer.from(json))
  api.route('GET', '/v2/core/events/evt_1', () => ({
    body: { id: 'evt_1', object: 'v2.core.event', data: { impact } },
  }))
  const stripe: Stripe | undefined = hasApiKey ? clients.clientFor(event) : undefined
  return runBuiltIn(event, { hasApiKey, ...(stripe && { stripe }) })
}

const asked = () => api.requests.slice(1).map(({ path, headers }) => [path, headers['stripe-context']])

test('warns of the event that was not made, and says how its object is now', async () => {
  api.route('GET', '/v1/payment_intents/pi_1', () => ({ body: { object: 'payment_intent', status: 'canceled' } }))
  const related_object = {
    id: 'pi_1',
    type: 'payment_intent',
    url: 'https://dashboard.stripe.com/payment_intents/pi_1',
  }
  expect(await run({ event_type: 'payment_intent.canceled', related_object })).toEqual({
    level: 'warn',
    msg: 'Stripe could not make an event',
    eventId: 'evt_1',
    type,
    objectId: 'pi_1',
    lostType: 'payment_intent.canceled',
    context: null,
    fetched: true,
    status: 'canceled',
  })
  expect(asked()).toEqual([['/v1/payment_intents/pi_1', undefined]])
})

test('reads the older form, and asks for the object of a connected account', async () => {
  api.route('GET', '/v1/payouts/po_1', () => ({ body: { object: 'payout', status: 'failed' } }))
  const impact = { event_type: 'payout.failed', related_object_id: 'po_1', context: 'acct_1' }
  expect(await run(impact)).toMatchObject({ objectId: 'po_1', context: 'acct_1', fetched: true, status: 'failed' })
  expect(asked()).toEqual([['/v1/payouts/po_1', 'acct_1']])
})

test.each([
  ['acct_1', '/v1/accounts/acct_1'],
  ['ch_1', '/v1/charges/ch_1'],
  ['py_1', '/v1/charges/py_1'],
  ['dp_1', '/v1/disputes/dp_1'],
  ['du_1', '/v1/disputes/du_1'],
  ['in_1', '/v1/invoices/in_1'],
  ['pm_1', '/v1/payment_methods/pm_1'],
  ['sub_1', '/v1/subscriptions/sub_1'],
])('asks for %s where Stripe has it', async (related_object_id, path) => {
  api.route('GET', path, () => ({ body: { object: 'it' } }))
  expect(await run({ event_type: 'x', related_object_id })).toMatchObject({ fetched: true })
  expect(asked()).toEqual([[path, undefined]])
})

test.each([
  ['of another kind', { related_object_id: 'promo_1' }, 'promo_1'],
  ['that is not named', {}, null],
])('names an object %s, and does not fetch it', async (_which, related, objectId) => {
  expect(await run({ event_type: 'x', ...related })).toMatchObject({ level: 'warn', objectId, fetched: false })
  expect(asked()).toEqual([])
})

test('warns without an API key that something is missing', async () => {
  expect(await run({}, { hasApiKey: false })).toMatchObject({ level: 'warn', fetched: false })
  expect(api.requests).toEqual([])
})

test('fails when fetching fails, so that the event is retried', async () => {
  api.route('GET', '/v1/payouts/po_1', serverError)
  await expect(run({ event_type: 'x', related_object_id: 'po_1' })).rejects.toMatchObject({ statusCode: 500 })
})
