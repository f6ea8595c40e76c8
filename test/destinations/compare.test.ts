import Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { compareDestinations, type Expectations } from '../../src/destinations/compare.ts'
import { type Destination, fromV1, fromV2 } from '../../src/destinations/destinations.ts'
import { connectionTypes, snapshotTwins, thinTwins, v1Endpoint, v2Destination } from '../support/destinations-double.ts'

const VERSION = Stripe.API_VERSION
const URL_HERE = 'https://example.com/webhook'
const CONNECT_URL = `${URL_HERE}/connect`

const withConnection = (types: readonly string[], { events_from = [] }: Parameters<typeof v2Destination>[0] = {}) =>
  events_from.includes('@accounts') ? [...types, ...connectionTypes] : [...types]
const v1 = (overrides: Parameters<typeof v1Endpoint>[0] = {}) =>
  fromV1(v1Endpoint({ enabled_events: snapshotTwins, ...overrides }))
const v2 = (overrides: Parameters<typeof v2Destination>[0] = {}) =>
  fromV2(v2Destination({ enabled_events: withConnection(snapshotTwins, overrides), ...overrides }))
const thin = (overrides: Parameters<typeof v2Destination>[0] = {}) =>
  v2({
    event_payload: 'thin',
    enabled_events: withConnection(thinTwins, overrides).map((type) => (type.startsWith('v1.') ? type : `v1.${type}`)),
    ...overrides,
  })
const connect = (overrides: Parameters<typeof v2Destination>[0] = {}) =>
  v2({ url: CONNECT_URL, events_from: ['@accounts'], ...overrides })

const expectations: Expectations = {
  handledTypes: [...snapshotTwins, ...thinTwins],
  hasFallback: false,
  apiVersion: VERSION,
  hasConnectSecret: true,
  twins: 'one',
}
const here = { url: new URL(URL_HERE) }
const noConnect = { hasConnectSecret: false }

function compare(destinations: readonly Destination[], overrides: Partial<Expectations> = {}) {
  const findings = compareDestinations(destinations, { ...expectations, ...overrides })
  return { findings, troubles: findings.filter(({ severity }) => severity !== 'ok') }
}

describe('all is well', () => {
  it.each([
    ['with an account destination', [v2()], noConnect],
    ['with one that API v1 made', [v1()], noConnect],
    ['with a Connect destination too', [v2(), connect()], {}],
    ['with thin ones in their place', [thin(), thin({ url: CONNECT_URL, events_from: ['@accounts'] })], {}],
    ['at the URL that was asked for', [v2()], { ...here, ...noConnect }],
    ['when it was asked for by its Connect URL', [v2(), connect()], { url: new URL(CONNECT_URL) }],
    ['at two servers', [v2(), v2({ url: 'https://staging.example.com/webhook' })], noConnect],
  ] as const)('%s, and each destination is in a finding that says so', (_name, destinations, overrides) => {
    const { findings } = compare(destinations, overrides)
    expect(findings.map(({ severity, check }) => ({ severity, check }))).toEqual(
      destinations.map(() => ({ severity: 'ok', check: 'destination' })),
    )
    expect(findings.map(({ destinations: ids }) => ids?.[0])).toEqual(destinations.map(({ id }) => id))
  })
})

describe('which destinations are looked at', () => {
  it.each([
    'https://EXAMPLE.com/webhook/',
    'https://example.com:443/webhook',
    'https://example.com/webhook?version=2',
    'https://example.com/webhook#a',
  ])('those at the same place: %s', (url) => {
    const { findings } = compare([v2({ url })], { ...here, ...noConnect })
    expect(findings).toMatchObject([{ severity: 'ok', check: 'destination' }])
  })

  it.each([
    'http://example.com/webhook',
    'https://example.com:8443/webhook',
    'https://www.example.com/webhook',
    'https://example.com/webhooks',
    'https://example.com/Webhook',
  ])('not those at another: %s', (url) => {
    expect(compare([v2({ url })], { ...here, ...noConnect }).troubles).toMatchObject([{ check: 'destination_present' }])
  })

  it('without a URL all at the two paths, and the others are named', () => {
    const other = v2({ url: 'https://example.com/hook' })
    const { findings } = compare([
      v2({ url: 'https://one.example/stripe/webhook' }),
      connect(),
      other,
      v2({ type: 'x' }),
    ])
    expect(findings.map(({ severity }) => severity)).toEqual(['ok', 'ok', 'ok'])
    expect(findings.at(-1)).toMatchObject({
      destinations: [other.id],
      message: expect.stringContaining('not looked at'),
    })
  })

  it('with a URL of another path that one, which a proxy may lead to the account route', () => {
    const url = new URL('https://example.com/hook')
    expect(compare([v2({ url: url.href }), v2()], { url, ...noConnect }).findings).toHaveLength(1)
  })
})

describe('a destination that is not there', () => {
  it('is a fault, with the command that creates it', () => {
    for (const url of [URL_HERE, CONNECT_URL]) {
      const { troubles } = compare([], { ...noConnect, url: new URL(`${url}/`) })
      expect(troubles).toMatchObject([{ severity: 'fault', check: 'destination_present' }])
      expect(troubles[0]?.mend).toContain(`-- create --url ${url}${url === CONNECT_URL ? ' --connect' : ''}`)
      expect(troubles[0]?.mend?.includes('--connect')).toBe(url === CONNECT_URL)
    }
    expect(compare([v2({ url: 'https://example.com/hook' })], noConnect).troubles).toMatchObject([
      { severity: 'fault', message: expect.stringContaining('ends in /webhook or /webhook/connect') },
    ])
  })

  it('is a fault for the URL that was asked for, though its sibling has one', () => {
    expect(compare([connect()], here).troubles).toMatchObject([{ check: 'destination_present' }])
  })

  it('is a warning for the Connect route when only its secret is there', () => {
    expect(compare([v2()]).troubles).toMatchObject([{ severity: 'warning', check: 'connect_secret' }])
  })
})

describe('several destinations at one URL', () => {
  it.each([
    ['of both APIs', [v1(), v2()]],
    ['that differ in their query', [v2(), v2({ url: `${URL_HERE}?version=2` })]],
    [
      'for different types',
      [v2({ enabled_events: snapshotTwins.slice(1) }), v2({ enabled_events: snapshotTwins.slice(0, 1) })],
    ],
    ['one of which is for connected accounts too', [thin(), thin({ events_from: ['@self', '@accounts'] })]],
  ])('are one fault: %s', (_name, destinations) => {
    const faults = compare(destinations, noConnect).troubles.filter(({ check }) => check === 'destination_single')
    expect(faults).toMatchObject([{ severity: 'fault', destinations: destinations.map(({ id }) => id) }])
    expect(faults[0]?.mend).toContain('keep one')
  })

  it('are none when they send different events', () => {
    const { troubles } = compare([
      v2(),
      thin(),
      v2({ events_from: ['@organization_members'] }),
      connect({ url: URL_HERE }),
    ])
    expect(troubles.filter(({ check }) => check === 'destination_single')).toEqual([])
  })
})

describe('a disabled destination', () => {
  it('is a fault when nothing else sends to its URL', () => {
    const { troubles } = compare([v2({ status: 'disabled' }), connect()])
    expect(troubles).toMatchObject([
      { severity: 'fault', check: 'destination_enabled', mend: expect.stringContaining('enable') },
    ])
  })

  it('is a warning beside an enabled one, and is not compared', () => {
    const { troubles } = compare(
      [v1({ status: 'disabled', api_version: null, enabled_events: ['*'] }), v2()],
      noConnect,
    )
    expect(troubles).toMatchObject([{ severity: 'warning', check: 'destination_enabled' }])
  })
})

describe('the API version', () => {
  it.each([['2024-06-20'], [null]])('%s is a fault, with a way to change it', (api_version) => {
    const { troubles } = compare([v1({ api_version })], noConnect)
    expect(troubles).toMatchObject([{ severity: 'fault', check: 'api_version' }])
    expect(troubles[0]?.mend).toContain('npm run destination -- update we_')
  })

  it('of another date and the same name is as good', () => {
    const sameMajor = `2020-01-01.${Stripe.MAJOR_API_VERSION}`
    expect(compare([v1({ api_version: sameMajor })], noConnect).troubles).toEqual([])
  })

  it('of thin events is none', () => {
    expect(compare([thin()], noConnect).troubles).toEqual([])
  })
})

describe('Connect', () => {
  it.each([
    ['at the Connect route', connect()],
    ['at the account route', connect({ url: URL_HERE })],
    ['that API v1 tells of', v1({ application: 'ca_1', url: CONNECT_URL })],
    ['that API v1 does not tell of', v1({ url: CONNECT_URL })],
  ])('without its secret is a fault: %s', (_name, destination) => {
    const faults = compare([destination], noConnect).troubles.filter(({ severity }) => severity === 'fault')
    expect(faults).toMatchObject([{ check: 'connect_secret', destinations: [destination.id] }])
    expect(faults[0]?.mend).toContain('set STRIPE_CONNECT_WEBHOOK_SECRET')
  })

  it.each([
    ["connected accounts' events at the account route", connect({ url: URL_HERE }), 'change its URL'],
    ["the account's own events at the Connect route", v2({ url: CONNECT_URL }), '--connect'],
    ['an endpoint of v1 at the Connect route, which does not tell', v1({ url: CONNECT_URL }), 'Events from'],
  ])('has a warning for %s', (_name, destination, mend) => {
    const found = compare([destination]).troubles.filter(({ check }) => check === 'destination_origin')
    expect(found).toMatchObject([{ severity: 'warning', mend: expect.stringContaining(mend) }])
  })

  it('has none for an endpoint with an application, nor for one of both', () => {
    const enabled_events = [...snapshotTwins, ...connectionTypes]
    expect(compare([v1({ application: 'ca_1', url: CONNECT_URL, enabled_events })]).troubles).toEqual([])
    expect(compare([thin({ events_from: ['@self', '@accounts'] })], noConnect).troubles).toEqual([])
  })
})
