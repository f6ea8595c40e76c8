import Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { compareDestinations, type Expectations } from '../../src/destinations/compare.ts'
import { type Destination, fromV1, fromV2, PING_TYPE } from '../../src/destinations/destinations.ts'
import { subscribableTypes } from '../../src/destinations/needed.ts'
import { previewTypes, snapshotTypes } from '../../src/event/known-types.ts'
import { connectionTypes, snapshotTwins, thinTwins, v1Endpoint, v2Destination } from '../support/destinations-double.ts'

const URL_HERE = 'https://example.com/webhook'

const v2 = (overrides: Parameters<typeof v2Destination>[0] = {}) => fromV2(v2Destination(overrides))
const snapshot = (types: readonly string[] = snapshotTwins, overrides: Parameters<typeof v2Destination>[0] = {}) =>
  v2({ enabled_events: [...types], ...overrides })
const thin = (types: readonly string[] = thinTwins, overrides: Parameters<typeof v2Destination>[0] = {}) =>
  v2({ enabled_events: [...types], event_payload: 'thin', ...overrides })
const connect = { url: `${URL_HERE}/connect`, events_from: ['@accounts'] }

const handledTypes = [...snapshotTwins, ...thinTwins]

function find(check: string, destinations: readonly Destination[], overrides: Partial<Expectations> = {}) {
  const expected = { hasFallback: false, apiVersion: Stripe.API_VERSION, hasConnectSecret: true, twins: 'one' } as const
  const findings = compareDestinations(destinations, { handledTypes, ...expected, ...overrides })
  return findings.filter((finding) => finding.check === check)
}

describe('types handled and not sent', () => {
  const most = snapshotTwins.filter((type) => type !== 'payout.failed')

  it('are a fault that names each, and the destination to add them to', () => {
    const lacking = snapshot(most)
    const faults = find('types_sent', [lacking])
    expect(faults).toMatchObject([{ severity: 'fault', types: ['payout.failed'], destinations: [lacking.id] }])
    expect(faults[0]?.message).toContain('1 type handled and not sent to https://example.com/webhook: payout')
    expect(faults[0]?.mend).toContain(`add them: npm run destination -- update ${lacking.id}`)
  })

  it('of thin events are told of a thin destination', () => {
    const lacking = thin(thinTwins.filter((type) => type !== 'v1.payout.failed'))
    expect(find('types_sent', [lacking])).toMatchObject([{ severity: 'fault', types: ['v1.payout.failed'] }])
  })

  it('are a warning when the other route is sent them', () => {
    const found = find('types_sent', [snapshot(most), snapshot([...snapshotTwins, ...connectionTypes], connect)])
    expect(found).toMatchObject([
      { severity: 'warning', types: ['payout.failed'], message: expect.stringContaining(URL_HERE) },
    ])
    expect(find('types_sent', [snapshot(), snapshot(['account.updated', ...connectionTypes], connect)])).toMatchObject([
      { severity: 'warning', message: expect.stringContaining(`${URL_HERE}/connect`) },
    ])
  })

  it('of a server count at that server alone', () => {
    const elsewhere = snapshot(snapshotTwins, { url: 'https://other.example/webhook' })
    expect(find('types_sent', [snapshot(most), elsewhere])).toMatchObject([{ severity: 'fault' }])
  })

  it('are not those whose handled twin is sent', () => {
    expect(find('types_sent', [snapshot(most), thin(['v1.payout.failed'])])).toEqual([])
  })

  it('are those whose twin is sent to a built-in handler that yields, which itself is never wanted', () => {
    const yielding = { handledTypes, yieldingTypes: new Set(['v1.payout.failed']) }
    const found = find('types_sent', [snapshot(most), thin()], yielding)
    expect(found).toMatchObject([{ severity: 'fault', types: ['payout.failed'] }])
    expect(find('types_sent', [snapshot()], yielding)).toEqual([])
    expect(find('types_sent', [thin(['v1.balance.available']), snapshot()], yielding)).toEqual([])
    const others = thinTwins.filter((type) => type !== 'v1.payout.failed')
    expect(find('types_sent', [thin(others)], yielding)).toMatchObject([{ types: ['payout.failed'] }])
  })

  it('are those whose twin is sent and not handled', () => {
    const types = ['payout.failed', 'v1.refund.created']
    const found = find('types_sent', [snapshot(['refund.created', 'payout.failed'])], { handledTypes: types })
    expect(found).toMatchObject([{ severity: 'fault', types: ['v1.refund.created'] }])
    expect(found[0]?.mend).toContain(`npm run destination -- create --url ${URL_HERE} --thin`)
  })

  it('are none with *, and never a ping or a type in preview', () => {
    expect(find('types_sent', [snapshot(['*'])], { hasFallback: true })).toEqual([])
    const optional = [PING_TYPE, ...previewTypes]
    expect(find('types_sent', [snapshot()], { handledTypes: [...handledTypes, ...optional] })).toEqual([])
  })
})

describe('what tells which accounts are connected', () => {
  const [authorized, deauthorized] = connectionTypes

  it('is wanted of a Connect destination, in either shape, whatever is handled', () => {
    const lacking = snapshot(snapshotTwins, connect)
    expect(find('types_sent', [snapshot(), lacking])).toMatchObject([
      { severity: 'warning', types: connectionTypes, destinations: [lacking.id] },
    ])
    expect(find('types_sent', [thin(thinTwins, connect)])).toMatchObject([
      { severity: 'warning', types: connectionTypes.map((type) => `v1.${type}`) },
    ])
    const parts = [snapshot([...snapshotTwins, `${authorized}`], connect), thin([`v1.${deauthorized}`], connect)]
    expect(find('types_sent', parts)).toEqual([])
    expect(find('types_sent', [snapshot()])).toEqual([])
  })

  it('is a fault where a handler of your own waits for it', () => {
    const own = { handledTypes: [...handledTypes, `${deauthorized}`] }
    const found = find('types_sent', [snapshot([...snapshotTwins, `${authorized}`], connect)], own)
    expect(found).toMatchObject([{ severity: 'fault', types: [deauthorized] }])
  })

  it('is never needless at a Connect destination, and is elsewhere', () => {
    expect(find('types_handled', [snapshot([...snapshotTwins, ...connectionTypes], connect)])).toEqual([])
    expect(find('types_handled', [snapshot([...snapshotTwins, ...connectionTypes])])).toMatchObject([
      { severity: 'fault', types: connectionTypes },
    ])
  })
})

describe('events about accounts of API v2', () => {
  const own = { handledTypes: [...thinTwins, 'v2.core.account.closed'] }
  const connected = thin([...thinTwins, ...connectionTypes.map((type) => `v1.${type}`)], connect)

  it('are wanted of the own account alone', () => {
    expect(find('types_sent', [thin([...thinTwins, 'v2.core.account.closed']), connected], own)).toEqual([])
    expect(find('types_sent', [thin(), connected], own)).toMatchObject([
      { severity: 'fault', message: expect.stringContaining(`not sent to ${URL_HERE}: v2.core.account.closed`) },
    ])
  })
})

describe('types sent and not handled', () => {
  it('are a fault that names them', () => {
    const eager = snapshot([...snapshotTwins, 'invoice.paid', 'newer.than.the_sdk'])
    const faults = find('types_handled', [eager])
    expect(faults).toMatchObject([{ severity: 'fault', types: ['invoice.paid', 'newer.than.the_sdk'] }])
    expect(faults[0]?.message).toContain('no handler, 2 types: invoice.paid, newer.than.the_sdk')
    expect(faults[0]?.mend).toContain(`take them out: npm run destination -- update ${eager.id}`)
  })

  it('are the rest of all types with *, in one short line', () => {
    const [fault] = find('types_handled', [snapshot(['*'])])
    expect(fault?.types).toHaveLength(snapshotTypes.length - snapshotTwins.length)
    expect(fault?.message).toMatch(/2\d\d types \(it sends every type\): (\S+, ){4}\S+ and 2\d\d more$/)
  })

  it('are no fault when there is a fallback, only told', () => {
    const found = find('types_handled', [snapshot(['*'])], { hasFallback: true })
    expect(found).toMatchObject([{ severity: 'ok', message: expect.stringContaining('fallback') }])
  })

  it('are those of thin events too, and never a ping', () => {
    expect(find('types_handled', [thin([...thinTwins, PING_TYPE])])).toEqual([])
    expect(find('types_handled', [thin([...thinTwins, 'v2.core.account.updated'])])).toMatchObject([
      { severity: 'fault', types: ['v2.core.account.updated'] },
    ])
  })

  it('do not include a type that is named like a property of every object', () => {
    expect(find('types_handled', [snapshot([...snapshotTwins, 'constructor'])])).toMatchObject([
      { types: ['constructor'] },
    ])
  })
})

describe('snapshot and thin events of one change', () => {
  it('are a fault with TWINS=both, and told with TWINS=one', () => {
    const both = [snapshot(), thin()]
    expect(find('twins', both, { twins: 'both' })).toMatchObject([
      {
        severity: 'fault',
        destinations: both.map(({ id }) => id),
        types: expect.arrayContaining(snapshotTwins),
        mend: expect.stringContaining('set TWINS=one'),
      },
    ])
    expect(find('twins', both)).toMatchObject([{ severity: 'ok' }])
  })

  it('are found through every type, and at the other route', () => {
    const types = snapshotTwins.length
    for (const both of [
      [snapshot(['*']), thin()],
      [snapshot(), thin(['*'])],
      [snapshot(), thin(thinTwins, { ...connect, events_from: ['@self', '@accounts'] })],
    ]) {
      expect(find('twins', both, { twins: 'both' })[0]?.types).toHaveLength(types)
    }
  })

  it('are found by its route where API v1 does not tell whose events they are', () => {
    const both = [fromV1(v1Endpoint({ url: connect.url, enabled_events: snapshotTwins })), thin(thinTwins, connect)]
    expect(find('twins', both, { twins: 'both' })).toMatchObject([{ severity: 'fault' }])
  })

  it.each([
    ['their types differ', [snapshot(['payout.failed']), thin(['v1.payout.paid'])]],
    ['one is of connected accounts', [snapshot(), thin(thinTwins, connect)]],
    ['one is disabled', [snapshot(), thin(thinTwins, { status: 'disabled' })]],
    ['they are of two servers', [snapshot(), thin(thinTwins, { url: 'https://other.example/webhook' })]],
  ])('are none when %s', (_name, destinations) => {
    expect(find('twins', destinations, { twins: 'both' })).toEqual([])
  })
})

it('gives the types of one shape to subscribe to, without the ping and those in preview', () => {
  const types = ['payout.failed', 'v1.payout.failed', 'v2.core.account.updated', PING_TYPE, ...previewTypes]
  expect(subscribableTypes(types, 'snapshot')).toEqual(['payout.failed'])
  expect(subscribableTypes(types, 'thin')).toEqual(['v1.payout.failed', 'v2.core.account.updated'])
})
