import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseEnvelope } from '../../src/event/envelope.ts'
import { createStripeClients } from '../../src/stripe/client.ts'
import { fetchers, singletons } from '../../src/stripe/fetchers.ts'
import { snapshotJson, thinJson } from '../support/sign.ts'
import {
  type ApiAnswer,
  accountInvalid,
  apiError,
  resourceMissing,
  type StripeApiDouble,
  startStripeApiDouble,
} from '../support/stripe-api-double.ts'

let api: StripeApiDouble
beforeEach(async () => {
  api = await startStripeApiDouble()
})
afterEach(() => api.close())

const PATH = '/v1/payouts/po_1'
const payout = { id: 'po_1', object: 'payout', status: 'paid' }

function parse(json: string, apiKey: string | undefined = api.key) {
  const clients = createStripeClients({ apiKey, apiBase: new URL(api.url) })
  return { clients, event: clients.parse(parseEnvelope(json), Buffer.from(json)) }
}

/** What a handler of the event gets by `ctx.latest()`. */
async function latestOf(json: string): Promise<unknown> {
  const { clients, event } = parse(json)
  return clients.fetchLatest(event)
}

const snapshotOf = (object: object, fields: object = {}) =>
  snapshotJson({ type: 'x.updated', account: 'acct_1', data: { object }, ...fields })

const thin = (related_object: unknown = { id: 'po_1', type: 'payout', url: PATH }) =>
  thinJson({ id: 'evt_1', type: 'v1.payout.failed', context: 'acct_1', related_object })

describe.each([
  ['a snapshot event', () => snapshotOf({ ...payout, status: 'failed' }), 'stripe-account'],
  ['a thin event', () => thin(), 'stripe-context'],
])('the object of %s', (_shape, makeJson, binding) => {
  async function fetchFrom(answer: ApiAnswer): Promise<unknown> {
    api.route('GET', PATH, () => answer)
    return latestOf(makeJson())
  }

  it("is fetched as it is now, for the event's account", async () => {
    expect(await fetchFrom({ body: payout })).toMatchObject(payout)
    expect(api.requests.map(({ path, headers }) => [path, headers[binding]])).toEqual([[PATH, 'acct_1']])
    expect(api.problems).toEqual([])
  })

  it('is undefined once Stripe says that it was deleted', async () => {
    expect(await fetchFrom({ body: { id: 'po_1', object: 'payout', deleted: true } })).toBeUndefined()
  })

  it('that is not there fails for good, in one clear line', async () => {
    await expect(fetchFrom(resourceMissing('payout', 'po_1'))).rejects.toMatchObject({
      name: 'PermanentError',
      message: expect.stringMatching(/^its object is gone: .*No such payout: 'po_1'.*deleted since/),
    })
    expect(api.requests).toHaveLength(1)
  })

  it('of an account that left fails for good, in one clear line', async () => {
    await expect(fetchFrom(accountInvalid('acct_1'))).rejects.toMatchObject({
      name: 'PermanentError',
      message: expect.stringMatching(/^account no longer connected: acct_1 .*replay this event if it comes back$/),
    })
  })

  it.each([
    ['another path than Stripe has', apiError(404, { message: 'Unrecognized request URL' })],
    ['a refused key', apiError(401, { message: 'Invalid API Key provided' })],
    ['a right that the key lacks', apiError(403, { message: 'The key may not read payouts' })],
    ['a bad request', apiError(400, { message: 'No such field', code: 'resource_missing' })],
  ])('is tried again later after %s', async (_name, answer) => {
    await expect(fetchFrom(answer)).rejects.toMatchObject({
      name: expect.not.stringMatching('PermanentError'),
      statusCode: answer.status,
    })
  })

  it('is not fetched without an API key', async () => {
    const clients = createStripeClients({ apiKey: undefined, apiBase: new URL(api.url) })
    await expect(clients.fetchLatest(parse(makeJson()).event)).rejects.toMatchObject({
      name: 'PermanentError',
      message: expect.stringContaining('STRIPE_API_KEY'),
    })
    expect(api.requests).toEqual([])
  })
})

describe('a kind of object', () => {
  const kinds = Object.keys(fetchers)
  /** Whose they are, where their address needs it. */
  const owners = { account: 'acct_1', customer: 'cus_1', fee: 'fee_1' }
  beforeEach(() => api.route('GET', /^\/v1\//, () => ({ body: { object: 'it' } })))

  it.each(kinds)('%s is asked for at one address, by its id, or cannot be', async (kind) => {
    const asked = latestOf(snapshotOf({ id: 'id_1', object: kind, ...owners }))
    const ways = await asked.then(
      () => api.requests.map(({ path }) => path),
      (error: Error) => error.message,
    )
    if (typeof ways === 'string')
      expect(ways).toBe(`ctx.latest(): there is no way to fetch this kind of object: ${kind}`)
    else expect(ways).toEqual([expect.stringMatching(singletons.includes(kind) ? /^\/v1\/[\w/]+$/ : /\/id_1$/)])
  })

  it.each(kinds)('%s without an id is asked for only where there is one of it', async (kind) => {
    const asked = latestOf(snapshotOf({ object: kind, ...owners }))
    if (singletons.includes(kind)) await asked
    else await expect(asked).rejects.toMatchObject({ name: 'PermanentError' })
    expect(api.requests).toHaveLength(singletons.includes(kind) ? 1 : 0)
  })

  it.each([
    [{ id: 'po_1', object: 'payout' }, '/v1/payouts/po_1'],
    [{ object: 'balance' }, '/v1/balance'],
    [{ object: 'cash_balance', customer: 'cus_1' }, '/v1/customers/cus_1/cash_balance'],
    [{ id: 'person_1', object: 'person', account: 'acct_1' }, '/v1/accounts/acct_1/persons/person_1'],
    [{ id: 'ba_1', object: 'bank_account' }, '/v1/accounts/acct_1/external_accounts/ba_1'],
    [{ id: 'card_1', object: 'card', customer: { id: 'cus_1' } }, '/v1/customers/cus_1/sources/card_1'],
    [{ id: 'fr_1', object: 'fee_refund', fee: 'fee_1' }, '/v1/application_fees/fee_1/refunds/fr_1'],
    [{ id: 'cs_1', object: 'checkout.session' }, '/v1/checkout/sessions/cs_1'],
  ])('is asked for where Stripe has it: %j', async (object, path) => {
    await latestOf(snapshotOf(object))
    expect(api.requests.map((request) => request.path)).toEqual([path])
  })
})

it.each([
  ['a snapshot without an object', () => snapshotOf({}, { data: {} }), /x\.updated names no object/],
  ['an upcoming invoice', () => snapshotOf({ object: 'invoice' }), /names no object/],
  ['an application', () => snapshotOf({ id: 'ca_1', object: 'application' }), /no way .*: application/],
  ['a kind that is only named as one', () => snapshotOf({ id: 'x', object: 'constructor' }), /no way .*: constructor/],
  ['a bank account of nobody', () => snapshotOf({ id: 'ba_1', object: 'bank_account' }, { account: null }), /no way/],
  ['a thin event without an object', () => thin(null), /v1\.payout\.failed names no object/],
])('nothing is asked for %s: it fails for good and says why', async (_which, makeJson, message) => {
  await expect(latestOf(makeJson())).rejects.toMatchObject({
    name: 'PermanentError',
    message: expect.stringMatching(message),
  })
  expect(api.requests).toEqual([])
})

it('fetchEvent asks for the whole event, for its context', async () => {
  api.route('GET', '/v2/core/events/evt_1', () => ({ body: { id: 'evt_1', object: 'v2.core.event', data: {} } }))
  const { event } = parse(thin())
  if (event.object !== 'v2.core.event') throw new Error('expected a thin event')
  expect(await event.fetchEvent()).toMatchObject({ id: 'evt_1', data: {} })
  expect(api.requests[0]?.headers['stripe-context']).toBe('acct_1')
  expect(api.problems).toEqual([])
})
