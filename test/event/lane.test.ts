import { describe, expect, it } from 'vitest'
import { parseEnvelope } from '../../src/event/envelope.ts'
import { lanesWithoutId } from '../../src/event/lane.ts'
import {
  accountSingletons,
  snapshotsWithoutId,
  thinsWithoutId,
  thinsWithoutObject,
  twinTypes,
} from '../support/sdk-twins.ts'
import { snapshotJson, thinJson } from '../support/sign.ts'

const laneOf = (text: string): string => parseEnvelope(text).lane
const includes = (types: readonly string[], type: string): boolean => types.includes(type)

/** Both lanes of one change of an object, snapshot first. Each shape names the object as the SDK declares it for the type. */
function lanesOf(
  type: string,
  { account, objectId = 'obj_1' }: { account?: string; objectId?: string } = {},
): string[] {
  const object = { object: 'thing', ...(!includes(snapshotsWithoutId, type) && { id: objectId }) }
  const snapshot = snapshotJson({ type, account, context: account, data: { object } })
  const related = { type: 'thing', url: '/v1/things', ...(!includes(thinsWithoutId, type) && { id: objectId }) }
  const thin = thinJson({
    type: `v1.${type}`,
    context: account,
    snapshot_event: JSON.parse(snapshot).id,
    related_object: includes(thinsWithoutObject, type) ? undefined : related,
  })
  return [laneOf(snapshot), laneOf(thin)]
}

/** Types of which an account has one object: what it has no id for, and the account itself. */
const onePerAccount = [...accountSingletons, 'account.application.authorized', 'account.application.deauthorized']

describe.each(twinTypes)('%s', (type) => {
  it.each([{}, { account: 'acct_1' }])('has one lane for both events of a change: %j', (place) => {
    const [snapshot, thin] = lanesOf(type, place)
    expect(snapshot).toBe(thin)
  })

  it('has a lane for each object of an account, and for each account', () => {
    const [first, second] = [
      lanesOf(type, { account: 'acct_1' }),
      lanesOf(type, { account: 'acct_1', objectId: 'obj_2' }),
    ]
    expect(new Set([...first, ...second]).size).toBe(includes(onePerAccount, type) ? 1 : 2)
    expect(first).not.toContain(lanesOf(type, { account: 'acct_2' })[0])
  })

  it('has one lane for two changes of one object, if both shapes name it', () => {
    const lanes = new Set([...lanesOf(type, { account: 'acct_1' }), ...lanesOf(type, { account: 'acct_1' })])
    const isNamed = !Object.hasOwn(lanesWithoutId, type) || includes(onePerAccount, type)
    expect(lanes.size).toBe(isNamed ? 1 : 2)
  })
})

describe('lanes', () => {
  it('are those of the account itself for what happens to its application', () => {
    const ofAccount = lanesOf('account.updated', { account: 'acct_1', objectId: 'acct_1' })
    for (const type of ['account.application.authorized', 'account.application.deauthorized']) {
      expect(lanesOf(type, { account: 'acct_1', objectId: 'ca_1' })).toEqual(ofAccount)
    }
  })

  it('differ between two upcoming invoices, with the id of a preview or, as Stripe sends them, without', () => {
    const object = { object: 'invoice', customer: 'cus_1' }
    const upcoming = [object, object, { ...object, id: 'upcoming_in_1' }].map((each) =>
      laneOf(snapshotJson({ type: 'invoice.upcoming', data: { object: each } })),
    )
    expect(new Set(upcoming).size).toBe(3)
  })

  it('are of the event alone when neither an object nor a snapshot event is named', () => {
    for (const type of ['v1.billing.meter.no_meter_found', 'v2.core.event_destination.ping', 'v3.new']) {
      for (const related_object of [undefined, null, { type: 'thing', url: '/v1/thing' }]) {
        expect(laneOf(thinJson({ id: 'evt_alone', type, related_object }))).toBe('/evt_alone')
      }
    }
    expect(laneOf(snapshotJson({ id: 'evt_alone', data: {} }))).toBe('/evt_alone')
  })

  it('are of the object for types that the SDK does not know', () => {
    const object = { id: 'new_1', object: 'new' }
    expect(laneOf(snapshotJson({ type: 'new.made', data: { object } }))).toBe('/new_1')
    expect(laneOf(thinJson({ type: 'v1.new.made', related_object: { id: 'new_1', type: 'new', url: '/' } }))).toBe(
      '/new_1',
    )
    expect(laneOf(snapshotJson({ type: 'constructor', data: { object } }))).toBe('/new_1')
  })
})
