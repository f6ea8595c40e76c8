import Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type StripeApiDouble, startStripeApiDouble } from './stripe-api-double.ts'

describe("the double of Stripe's API", () => {
  let api: StripeApiDouble
  let good: Record<string, string>
  beforeEach(async () => {
    api = await startStripeApiDouble()
    api.route('GET', '/v1/account', () => ({ body: { id: 'acct_1' } }))
    good = { authorization: `Bearer ${api.key}`, 'stripe-version': Stripe.API_VERSION }
  })
  afterEach(() => api.close())

  const get = (headers: Headers | Record<string, string>, path = '/v1/account') => fetch(api.url + path, { headers })

  it.each([
    ['for itself', {}],
    ['for an account', { 'stripe-account': 'acct_1' }],
    ['in a context', { 'stripe-context': 'acct_1' }],
  ])('answers what is asked as it should be, %s', async (_name, headers) => {
    const response = await get({ ...good, ...headers })
    expect([response.status, await response.json()]).toEqual([200, { id: 'acct_1' }])
    expect(api.problems).toEqual([])
  })

  it.each([
    ['without a key', { authorization: undefined }, 401, 'no key came'],
    ['with another key', { authorization: 'Bearer sk_test_other' }, 401, 'a wrong key came'],
    ['without a version', { 'stripe-version': undefined }, 400, `${Stripe.API_VERSION}, and none came`],
    ['with another version', { 'stripe-version': '2020-08-27' }, 400, `${Stripe.API_VERSION}, and 2020-08-27 came`],
    [
      'for an account and in a context',
      { 'stripe-account': 'acct_1', 'stripe-context': 'acct_1' },
      400,
      'Stripe-Account and Stripe-Context came together',
    ],
  ])('refuses what is asked %s, and keeps the problem', async (_name, changes, status, problem) => {
    const headers = new Headers()
    for (const [name, value] of Object.entries({ ...good, ...changes }))
      if (value !== undefined) headers.set(name, value)
    const response = await get(headers)
    expect([response.status, await response.json()]).toMatchObject([
      status,
      { error: { type: 'invalid_request_error' } },
    ])
    expect(api.problems).toEqual([expect.stringContaining(problem)])
    expect(api.problems).toEqual([expect.stringMatching('^GET /v1/account: ')])
    expect(api.requests).toHaveLength(1)
  })

  it('refuses a path or a method that no route takes, and keeps the problem', async () => {
    expect((await get(good, '/v1/accounts')).status).toBe(404)
    expect((await fetch(`${api.url}/v1/account`, { method: 'POST', headers: good })).status).toBe(404)
    expect(api.problems).toEqual(['GET /v1/accounts: no route takes it', 'POST /v1/account: no route takes it'])
  })
})
