import type Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { retryAfter } from '../../src/errors.ts'
import { createStripeClients, type StripeClients } from '../../src/stripe/client.ts'
import { eventually } from '../support/eventually.ts'
import { captureLog } from '../support/log-lines.ts'
import {
  type ApiBehaviour,
  apiError,
  rateLimited,
  type StripeApiDouble,
  serverError,
  startStripeApiDouble,
} from '../support/stripe-api-double.ts'

let api: StripeApiDouble
let clients: StripeClients
beforeEach(async () => {
  api = await startStripeApiDouble()
  clients = createClients()
})
afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  const { problems } = api
  await api.close()
  expect(problems).toEqual([])
})

/** Requests a second: one goes at once, and the next when no test waits any more. */
const ONE_FOR_LONG = 0.001

const createClients = (requestsPerSecond?: number): StripeClients =>
  createStripeClients({
    apiKey: api.key,
    apiBase: new URL(api.url),
    ...(requestsPerSecond !== undefined && { requestsPerSecond }),
  })

/** Answers one after the other; the last one for good. */
function answer(...behaviours: ApiBehaviour[]): void {
  let next = 0
  api.route('GET', '/v1/balance', () => behaviours[next++] ?? behaviours.at(-1) ?? {})
}

const balance = (options?: Stripe.RequestOptions) => clients.clientOf(null).balance.retrieve({}, options)
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no failure',
    (error: Error) => error.message,
  )
const oneRequest = () => eventually('a request', () => api.requests[0])

/** Gives what resolves once the head of the first answer is here. */
function watchAnswers(): () => Promise<void> {
  const sent = vi.spyOn(globalThis, 'fetch')
  return async () => {
    await oneRequest()
    await sent.mock.results[0]?.value
  }
}

/** Sends a request of no budget there and back: what was to be sent before it has been sent, too. */
async function passBy(): Promise<void> {
  api.route('GET', '/v1/account', () => ({}))
  await createClients(10_000).clientOf(null).accounts.retrieveCurrent()
}
const balancesAsked = () => api.requests.filter(({ path }) => path === '/v1/balance').length

describe('429', () => {
  it.each([
    ['after the time that Stripe names', 1],
    ['when no time is named', undefined],
  ])('is tried again %s', async (_when, seconds) => {
    answer(rateLimited(seconds), {})
    await balance()
    expect(api.requests).toHaveLength(2)
  })

  it('is handed on after five retries', async () => {
    answer(rateLimited(0))
    await expect(balance()).rejects.toMatchObject({ type: 'StripeRateLimitError' })
    expect(api.requests).toHaveLength(6)
  })

  it.each([
    ['Stripe names more than a few seconds', rateLimited(6)],
    ['Stripe says that it may be sent again, and when', rateLimited(90, { 'stripe-should-retry': 'true' })],
    ['Stripe says not to', apiError(429, { message: 'no' }, { 'stripe-should-retry': 'false', 'retry-after': '0' })],
  ])('is handed on at once when %s', async (_name, refusal) => {
    answer(refusal)
    await expect(balance()).rejects.toMatchObject({ type: 'StripeRateLimitError' })
    expect(api.requests).toHaveLength(1)
  })

  it('is handed on with the time that Stripe names, for who tries again later', async () => {
    answer(rateLimited(90))
    expect(retryAfter(await balance().catch((error: unknown) => error))).toBe(90_000)
  })

  it('is told with its reason, for each operation', async () => {
    const { log, lines } = await captureLog()
    clients = createStripeClients({ apiKey: api.key, apiBase: new URL(api.url), log })
    answer(rateLimited(0), rateLimited(0), {})
    await balance()
    api.route('GET', '/v1/payouts/po_1', () => apiError(429, { message: 'no' }, { 'stripe-should-retry': 'false' }))
    await expect(clients.clientOf('acct_1').payouts.retrieve('po_1')).rejects.toMatchObject({ statusCode: 429 })
    expect(lines()).toMatchObject([
      { level: 40, operation: 'GET /v1/balance', reason: 'global-rate', retryAfterSeconds: 0, refusals: 1 },
      { level: 40, operation: 'GET /v1/payouts/:id', reason: null, retryAfterSeconds: null, refusals: 1 },
    ])
  })

  it('keeps the idempotency key of a request that writes', async () => {
    let calls = 0
    api.route('POST', '/v1/customers', () => (calls++ === 0 ? rateLimited(0) : {}))
    await clients.clientOf(null).customers.create({ name: 'Zoë' })
    const [first, second] = api.requests.map(({ headers, form }) => [headers['idempotency-key'], form.get('name')])
    expect(first).toEqual([expect.stringMatching(/./), 'Zoë'])
    expect(second).toEqual(first)
  })
})

describe('other failures', () => {
  it('of the server are tried again twice', async () => {
    answer(serverError())
    await expect(balance()).rejects.toMatchObject({ statusCode: 500 })
    expect(api.requests).toHaveLength(3)
  })

  it('by reset of the connection are tried again', async () => {
    answer('reset', {})
    await balance()
    expect(api.requests).toHaveLength(2)
  })

  it.each(['hang', 'stall'] as const)('by time-out end the request and its socket: %s', async (behaviour) => {
    answer(behaviour)
    const isAnswered = watchAnswers()
    // Time passes only once the request is at the server, however slow this machine is.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const failed = expect(balance({ timeout: 50, maxNetworkRetries: 0 })).rejects.toMatchObject({
      type: 'StripeConnectionError',
      message: expect.stringContaining('50ms'),
    })
    await (behaviour === 'stall' ? isAnswered() : oneRequest())
    vi.advanceTimersByTime(49)
    await passBy()
    expect(api.requests[0]?.isAborted()).toBe(false)
    vi.advanceTimersByTime(1)
    await failed
    await eventually('the socket to end', () => api.requests[0]?.isAborted())
  })

  it('time out by themselves', () => {
    // The SDK's own getters, which its types leave out.
    const client = clients.clientOf('acct_1') as unknown as { getApiField(name: string): unknown }
    expect(client.getApiField('timeout')).toBe(10_000)
    expect(client.getApiField('maxNetworkRetries')).toBe(2)
  })

  it('are not hidden behind a redirect to elsewhere', async () => {
    answer({ status: 302, headers: { location: `${api.url}/v1/elsewhere` } })
    await balance({ maxNetworkRetries: 0 }).catch(() => undefined)
    expect(api.requests.map(({ path }) => path)).toEqual(['/v1/balance'])
  })
})

describe('within a signal', () => {
  it.each([
    ['before an answer', 'hang', /^no result within 30 s$/],
    ['within an answer', 'stall', /connection/],
  ] as const)('a request ends with it %s, and its socket', async (_when, behaviour, message) => {
    answer(behaviour)
    const isAnswered = watchAnswers()
    const attempt = new AbortController()
    const failed = failure(clients.runWithin(attempt.signal, () => balance()))
    // The request is at the server before the head of its answer is here.
    await (behaviour === 'stall' ? isAnswered() : oneRequest())
    attempt.abort(new Error('no result within 30 s'))
    expect(await failed).toMatch(message)
    await eventually('the socket to end', () => api.requests[0]?.isAborted())
    // Failed for good: the SDK did not send it again before.
    expect(api.requests).toHaveLength(1)
  })

  it('a wait for the time that Stripe named ends with it, and nothing is sent before', async () => {
    answer(rateLimited(5))
    const isAnswered = watchAnswers()
    const attempt = new AbortController()
    const failed = failure(clients.runWithin(attempt.signal, () => balance()))
    await isAnswered()
    await passBy()
    expect(balancesAsked()).toBe(1)
    attempt.abort(new Error('cut off'))
    expect(await failed).toBe('cut off')
  })

  it('a wait for the budget ends with it, and nothing is sent', async () => {
    clients = createClients(ONE_FOR_LONG)
    answer({})
    await balance()
    const attempt = new AbortController()
    const failed = failure(clients.runWithin(attempt.signal, () => balance()))
    attempt.abort(new Error('cut off'))
    expect(await failed).toBe('cut off')
    expect(api.requests).toHaveLength(1)
  })

  it('what is sent after it was aborted is refused', async () => {
    const aborted = AbortSignal.abort(new Error('cut off'))
    expect(await failure(clients.runWithin(aborted, () => balance()))).toBe('cut off')
    expect(api.requests).toEqual([])
  })

  it('requests of other attempts and of none go on, on the same client', async () => {
    answer('hang', {})
    const [first, second] = [new AbortController(), new AbortController()]
    const failed = failure(clients.runWithin(first.signal, () => balance()))
    await oneRequest()
    first.abort(new Error('cut off'))
    await clients.runWithin(second.signal, () => balance())
    await balance()
    expect(await failed).toBe('cut off')
  })
})

it('four operations at once do not wait for each other in live mode', async () => {
  // The budgets stand still: what goes is what may go at once.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  const live = await startStripeApiDouble({ key: 'sk_live_double1234' })
  live.route('GET', /^/, () => ({}))
  const settings = { apiKey: live.key, apiBase: new URL(live.url), requestsPerSecond: 10 }
  const client = createStripeClients(settings).clientOf(null)
  await Promise.all([client.payouts, client.charges, client.refunds, client.customers].map((each) => each.list()))
  expect(live.requests).toHaveLength(4)
  await live.close()
})

describe('all clients together', () => {
  it('share one budget', async () => {
    clients = createClients(ONE_FOR_LONG)
    answer({})
    await clients.clientOf('acct_1').balance.retrieve()
    const attempt = new AbortController()
    const other = failure(clients.runWithin(attempt.signal, () => clients.clientOf('acct_2').balance.retrieve()))
    await passBy()
    expect(balancesAsked()).toBe(1)
    attempt.abort(new Error('cut off'))
    expect(await other).toBe('cut off')
  })

  it('take retries out of the budget too', async () => {
    clients = createClients(ONE_FOR_LONG)
    answer(rateLimited(0))
    const isAnswered = watchAnswers()
    const attempt = new AbortController()
    const failed = failure(clients.runWithin(attempt.signal, () => balance()))
    await isAnswered()
    await passBy()
    expect(balancesAsked()).toBe(1)
    attempt.abort(new Error('cut off'))
    expect(await failed).toBe('cut off')
  })

  it('share one connection pool', async () => {
    answer({})
    for (let account = 0; account < 20; account += 1) await clients.clientOf(`acct_${account}`).balance.retrieve()
    // Not one alone: a connection may still be busy with the end of an answer.
    expect(new Set(api.requests.map(({ port }) => port)).size).toBeLessThan(20)
  })
})
