import { describe, expect, it } from 'vitest'
import { toArrived } from '../../src/event/arrival.ts'
import { createChooseTargets } from '../../src/targets/choose-targets.ts'
import type { LoadedTarget } from '../../src/targets/load.ts'
import { loadedTarget } from '../support/loaded-target.ts'
import { snapshotJson, thinJson } from '../support/sign.ts'

function arrive(text: string, targets: readonly Partial<LoadedTarget>[], hopsBefore = 0, mode: 'any' | 'live' = 'any') {
  const chooseForwards = createChooseTargets(targets.map(loadedTarget))
  return toArrived(text, Buffer.from(text), { mode, searchFields: [], chooseForwards }, hopsBefore).forwards
}
const goes = (text: string, target: Partial<LoadedTarget>) => arrive(text, [target])?.length === 1

const payout = snapshotJson({ type: 'payout.paid', livemode: true, account: 'acct_1' })

describe('an event goes to a target', () => {
  it('that leaves everything out, once', () => {
    expect(arrive(payout, [{}])).toEqual([{ target: 'shop', hops: 1, held: null }])
  })

  it('with the order that the target keeps', () => {
    expect(arrive(payout, [{ order: 'lane' }])).toEqual([{ target: 'shop', hops: 1, held: null, order: 'lane' }])
  })

  it('by its type, exact or with *', () => {
    expect(goes(payout, { types: ['payout.paid'] })).toBe(true)
    expect(goes(payout, { types: ['charge.*', 'payout.*'] })).toBe(true)
    expect(goes(payout, { types: ['*.paid'] })).toBe(true)
    expect(goes(payout, { types: ['payout'] })).toBe(false)
    expect(goes(payout, { types: ['payout.p'] })).toBe(false)
    expect(goes(payout, { types: ['payoutx*'] })).toBe(false)
    expect(goes(snapshotJson({ type: 'payoutxpaid' }), { types: ['payout.paid'] })).toBe(false)
  })

  it('by its account, shape and mode', () => {
    expect(goes(payout, { accounts: ['acct_2', 'acct_1'] })).toBe(true)
    expect(goes(payout, { accounts: ['acct_2'] })).toBe(false)
    expect(goes(snapshotJson(), { accounts: ['acct_1'] })).toBe(false)
    expect(goes(payout, { shapes: ['snapshot'] })).toBe(true)
    expect(goes(thinJson(), { shapes: ['snapshot'] })).toBe(false)
    expect(goes(payout, { mode: 'live' })).toBe(true)
    expect(goes(payout, { mode: 'test' })).toBe(false)
  })

  it('by its `where`, which is asked only when all else fits', () => {
    const where = (event: { data: { object: { metadata?: Readonly<Record<string, string>> | null } } }) =>
      event.data.object.metadata?.shop === '7'
    const ofShop = (shop: string) => snapshotJson({ data: { object: { object: 'charge', metadata: { shop } } } })
    expect(goes(ofShop('7'), { where })).toBe(true)
    expect(goes(ofShop('8'), { where })).toBe(false)
    const never = () => {
      throw new Error('asked')
    }
    expect(arrive(payout, [{ types: ['charge.*'], where: never }])).toEqual([])
  })

  it('by its `where` alone, whatever that of another target does to the event', () => {
    const changing: LoadedTarget['where'] = (event) => {
      Object.assign(event.data.object, { metadata: { shop: '8' } })
      return true
    }
    const asking: LoadedTarget['where'] = (event) => event.data.object.metadata?.shop === '7'
    const text = snapshotJson({ data: { object: { object: 'charge', metadata: { shop: '7' } } } })
    const targets = [
      { name: 'one', where: changing },
      { name: 'two', where: asking },
    ]
    expect(arrive(text, targets)?.map(({ target }) => target)).toEqual(['one', 'two'])
  })

  it('and to each of several that fit', () => {
    const targets = [{ name: 'one' }, { name: 'two', types: ['charge.*'] }, { name: 'three' }]
    expect(arrive(payout, targets)?.map(({ target }) => target)).toEqual(['one', 'three'])
  })
})

describe('a forward is held from the start', () => {
  it('when its `where` throws or gives no answer, with the reason', () => {
    const throwing = () => {
      throw new TypeError('no metadata')
    }
    expect(arrive(payout, [{ where: throwing }])?.[0]?.held).toBe('its `where` threw TypeError: no metadata')
    for (const [answer, told] of [
      [undefined, 'undefined'],
      [1, 'number'],
      [Promise.reject(new Error('nobody waits')), 'a promise'],
    ] as const) {
      // What a module without types may hold.
      const where = (() => answer) as unknown as () => boolean
      expect(arrive(payout, [{ where }])?.[0]?.held).toContain(told)
    }
    // A thin event has no data.object.
    expect(arrive(thinJson(), [{ where: (event) => event.data.object.id === 'x' }])?.[0]?.held).toContain('TypeError')
  })

  it('when it came through three receivers already', () => {
    expect(arrive(payout, [{}], 2)).toEqual([{ target: 'shop', hops: 3, held: null }])
    expect(arrive(payout, [{}], 3)?.[0]?.held).toContain('came through 3 receivers')
  })
})

it('an event of the other mode than the server goes nowhere', () => {
  expect(arrive(snapshotJson({ livemode: false }), [{}], 0, 'live')).toBeUndefined()
})
