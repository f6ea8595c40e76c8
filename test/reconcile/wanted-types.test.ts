import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { HandlerMap } from '../../src/event.ts'
import { handlerMap } from '../../src/handlers/built-in/map.ts'
import { chooseTypes, findOwnDestinations, type OwnDestination } from '../../src/reconcile/wanted-types.ts'
import { createStripeClients } from '../../src/stripe/client.ts'
import {
  type DestinationsDouble,
  SITE,
  serveDestinations,
  snapshotHandled,
  thinHandled,
  v1Endpoint,
  v2Destination,
  v2Error,
} from '../support/destinations-double.ts'
import { type StripeApiDouble, startStripeApiDouble } from '../support/stripe-api-double.ts'

const handler = () => undefined
const map: HandlerMap = {
  'payout.failed': handler,
  'payout.paid': handler,
  'v1.payout.failed': handler,
  'v2.core.account.updated': handler,
  'v2.core.event_destination.ping': handler,
}
const own = (overrides: Partial<OwnDestination> = {}): OwnDestination => ({
  shape: 'snapshot',
  types: ['payout.failed', 'charge.succeeded'],
  from: 'account',
  ...overrides,
})
const nothing = { snapshot: [], thin: [] }

describe('of the handled types are wanted', () => {
  it('those that an own destination sends, of the side that it is for', () => {
    const thin = own({ shape: 'thin', types: ['v1.payout.failed'], from: 'connect' })
    expect(chooseTypes({ map }, [own(), thin])).toEqual({
      account: { snapshot: ['payout.failed'], thin: [] },
      connect: { snapshot: [], thin: ['v1.payout.failed'] },
    })
  })

  it('all of its shape from one that sends every type, but for the ping', () => {
    expect(chooseTypes({ map }, [own({ types: ['*'] }), own({ shape: 'thin', types: ['*'] })])).toEqual({
      account: { snapshot: ['payout.failed', 'payout.paid'], thin: ['v1.payout.failed', 'v2.core.account.updated'] },
      connect: nothing,
    })
  })

  it.each(['both', 'organization', 'unknown'] as const)('for both sides what one sends that is from %s', (from) => {
    const { account, connect } = chooseTypes({ map }, [own({ from })])
    expect([account.snapshot, connect.snapshot]).toEqual([['payout.failed'], ['payout.failed']])
  })

  it('without known destinations every snapshot type, and thin ones whose twin is not handled', () => {
    const expected = { snapshot: ['payout.failed', 'payout.paid'], thin: ['v2.core.account.updated'] }
    expect(chooseTypes({ map }, null)).toEqual({ account: expected, connect: expected })
  })

  it('those that only a target takes, too', () => {
    const forwarded = new Set(['charge.succeeded', 'v1.charge.succeeded', 'refund.created'])
    expect(chooseTypes({ map: {}, forwarded }, [own()]).account).toEqual({ snapshot: ['charge.succeeded'], thin: [] })
    const { account } = chooseTypes({ map: {}, forwarded }, null)
    expect(account).toEqual({ snapshot: ['charge.succeeded', 'refund.created'], thin: [] })
  })

  it('without known destinations no thin twin of a built-in handler', () => {
    expect(chooseTypes({ map: handlerMap }, null).account).toEqual({
      snapshot: expect.arrayContaining(snapshotHandled),
      thin: [],
    })
  })

  it('without known destinations not the built-in handler beside an own one for its twin', () => {
    const yielding = new Set(['payout.failed'])
    const expected = { snapshot: ['payout.paid'], thin: ['v1.payout.failed', 'v2.core.account.updated'] }
    expect(chooseTypes({ map, yielding }, null).account).toEqual(expected)
  })

  it('with all asked for every one of a shape that is sent, and whose change nothing else tells of', () => {
    expect(chooseTypes({ map }, [own()], { isAll: true })).toEqual({
      account: { snapshot: ['payout.failed', 'payout.paid'], thin: ['v2.core.account.updated'] },
      connect: nothing,
    })
    expect(chooseTypes({ map }, [own({ shape: 'thin' })], { isAll: true }).account).toEqual({
      snapshot: ['payout.paid'],
      thin: ['v1.payout.failed', 'v2.core.account.updated'],
    })
  })

  it('none that the SDK does not know', () => {
    const unknown = { 'made.up': handler, 'v1.made.up': handler, ...map }
    expect(chooseTypes({ map: unknown }, [own({ types: ['*'] })])).toEqual(
      chooseTypes({ map }, [own({ types: ['*'] })]),
    )
  })
})

describe('own destinations', () => {
  let api: StripeApiDouble
  let stripe: DestinationsDouble
  beforeEach(async () => {
    api = await startStripeApiDouble()
    stripe = serveDestinations(api)
  })
  afterEach(() => api.close())

  const find = (apiKey = api.key) => findOwnDestinations(createStripeClients({ apiKey, apiBase: new URL(api.url) }))

  it('are those at the two routes, disabled ones too', async () => {
    stripe.v2 = [
      v2Destination({ status: 'disabled' }),
      v2Destination({ url: `${SITE}/webhook/connect`, event_payload: 'thin', events_from: ['@accounts'] }),
      v2Destination({ url: `${SITE}/elsewhere` }),
    ]
    expect(await find()).toMatchObject({
      own: [
        { shape: 'snapshot', from: 'account', types: snapshotHandled },
        { shape: 'thin', from: 'connect', types: expect.arrayContaining(thinHandled) },
      ],
      failures: [],
    })
  })

  it("are not asked for with an organization's key", async () => {
    stripe.v2 = [v2Destination()]
    expect(await find('sk_org_test_12345678')).toEqual({ own: null, failures: [] })
    expect(api.requests).toEqual([])
  })

  it('are not known where there is none, or where the list of both shapes cannot be read', async () => {
    stripe.v2 = [v2Destination({ url: `${SITE}/elsewhere` })]
    expect(await find()).toEqual({ own: null, failures: [] })
    stripe.v1 = [v1Endpoint()]
    api.route('GET', '/v2/core/event_destinations', () => v2Error(403, 'forbidden'))
    expect(await find()).toEqual({ own: null, failures: [expect.stringContaining('Event Destinations: Read')] })
  })
})
