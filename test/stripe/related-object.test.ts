import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { HandlerMap } from '../../src/event.ts'
import { relatedObject } from '../../src/handlers/built-in/related-object.ts'
import { createStripeClients } from '../../src/stripe/client.ts'
import { runHandler } from '../../src/testing.ts'
import { newEntry } from '../support/new-entry.ts'
import { thinJson } from '../support/sign.ts'
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

/** A thin event of a connected account, as a worker hands it to a handler. */
function parseThin() {
  const related_object = { id: 'po_1', type: 'payout', url: PATH }
  const json = thinJson({ id: 'evt_1', type: 'v1.payout.failed', context: 'acct_1', related_object })
  const clients = createStripeClients({ apiKey: api.key, apiBase: new URL(api.url) })
  const parsed = clients.parse({ ...newEntry({ shape: 'thin' }), receivedAt: new Date() }, Buffer.from(json))
  if (parsed.object !== 'v2.core.event' || !('fetchRelatedObject' in parsed)) throw new Error('expected a thin event')
  return parsed
}

async function fetchFrom(answer: ApiAnswer): Promise<unknown> {
  api.route('GET', PATH, () => answer)
  let fetched: unknown
  const handlers: HandlerMap = {
    'v1.payout.failed': async (event, ctx) => {
      fetched = await relatedObject(event, ctx)
    },
  }
  const { error } = await runHandler(handlers, parseThin())
  if (error !== undefined) throw error
  return fetched
}

describe('the related object of a thin event', () => {
  it("is fetched for the event's context", async () => {
    expect(await fetchFrom({ body: { id: 'po_1', object: 'payout' } })).toMatchObject({ id: 'po_1' })
    expect(api.requests.map(({ path, headers }) => [path, headers['stripe-context']])).toEqual([[PATH, 'acct_1']])
    expect(api.problems).toEqual([])
  })

  it('that was deleted since fails for good, in one clear line', async () => {
    await expect(fetchFrom(resourceMissing('payout', 'po_1'))).rejects.toMatchObject({
      name: 'PermanentError',
      message: expect.stringMatching(/^related object is gone: .*No such payout: 'po_1'.*deleted since/),
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
})

it('fetchEvent asks for the whole event, for its context', async () => {
  api.route('GET', '/v2/core/events/evt_1', () => ({ body: { id: 'evt_1', object: 'v2.core.event', data: {} } }))
  expect(await parseThin().fetchEvent()).toMatchObject({ id: 'evt_1', data: {} })
  expect(api.requests[0]?.headers['stripe-context']).toBe('acct_1')
  expect(api.problems).toEqual([])
})
