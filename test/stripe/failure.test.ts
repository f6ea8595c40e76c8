import Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStripeClients } from '../../src/stripe/client.ts'
import { explainFailure } from '../../src/stripe/failure.ts'
import { apiError, rateLimited, type StripeApiDouble, startStripeApiDouble } from '../support/stripe-api-double.ts'

let api: StripeApiDouble
beforeEach(async () => {
  api = await startStripeApiDouble()
})
afterEach(() => api.close())

async function explain(apiBase = new URL(api.url)) {
  const client = createStripeClients({ apiKey: api.key, apiBase, requestsPerSecond: 1_000 }).clientOf(null)
  const error = await client.events.list().catch((thrown: unknown) => thrown)
  if (!(error instanceof Stripe.errors.StripeError)) throw new Error('expected an error of the SDK')
  return explainFailure(error, { action: 'read events', permission: 'read access to Events' })
}

describe('says what came and what to do, when', () => {
  it.each([
    ['the key is refused', apiError(401, { message: 'Invalid API Key' }), 'key', 'does not take', 'set STRIPE_API_KEY'],
    [
      'the key lacks a right',
      apiError(403, { message: 'no' }),
      'permission',
      'STRIPE_API_KEY may not read events (403)',
      'give the restricted key read access to Events',
    ],
    ['the rate is limited', rateLimited(0), 'rate', '(429, global-rate): could not read events', 'try again later'],
    ['the rate is limited for long', rateLimited(90), 'rate', 'could not read events', 'try again in 90 s'],
    [
      'the rate of API v2 is limited',
      { status: 429, body: { error: { type: 'rate_limit', code: 'too_fast', message: 'no' } } },
      'rate',
      '(429): could not read events',
      'try again later',
    ],
    [
      'the request is refused',
      apiError(400, { message: 'Odd' }),
      'request',
      'Stripe answered 400, could not read events: Odd',
      'status.stripe.com',
    ],
  ])('%s', async (_case, answer, cause, message, mend) => {
    api.route('GET', '/v1/events', () => answer)
    expect(await explain()).toEqual({
      cause,
      message: expect.stringContaining(message),
      mend: expect.stringContaining(mend),
    })
  })

  it('Stripe does not answer in time', async () => {
    api.route('GET', '/v1/events', () => 'hang')
    const client = createStripeClients({ apiKey: api.key, apiBase: new URL(api.url) }).clientOf(null)
    const error = await client.events.list({}, { timeout: 20, maxNetworkRetries: 0 }).catch((thrown: unknown) => thrown)
    if (!(error instanceof Stripe.errors.StripeError)) throw new Error('expected an error of the SDK')
    expect(explainFailure(error, { action: 'read events', permission: '' })).toMatchObject({
      cause: 'connection',
      message: 'Stripe did not answer in time: could not read events',
    })
  })

  it('Stripe cannot be reached', async () => {
    expect(await explain(new URL('http://127.0.0.1:1'))).toEqual({
      cause: 'connection',
      message: 'Stripe cannot be reached',
      mend: expect.stringContaining('check the network'),
    })
  })
})

it.each(['sk_test_1234', 'rk_live_1234', 'whsec_1234'])('never repeats %s from a message', async (secret) => {
  for (const status of [400, 401, 403]) {
    api.route('GET', '/v1/events', () => apiError(status, { message: `Odd: ${secret}` }))
    expect(JSON.stringify(await explain())).not.toContain('1234')
  }
})
