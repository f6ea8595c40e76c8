import { expect, test, vi } from 'vitest'
import { parseEnvelope } from '../../src/event/envelope.ts'
import type { LaneOf } from '../../src/event.ts'
import { createChooseLane } from '../../src/handlers/choose-lane.ts'
import { createStripeClients } from '../../src/stripe/client.ts'
import { snapshotJson, thinJson } from '../support/sign.ts'

const { parse } = createStripeClients({ apiKey: undefined, apiBase: undefined })
const onAccount = (overrides = {}) => snapshotJson({ account: 'acct_1', ...overrides })

function setUp(laneOf: LaneOf) {
  const onFault = vi.fn()
  const choose = createChooseLane({ laneOf, parse, onFault })
  return { onFault, laneOf: (json: string) => choose(parseEnvelope(json), Buffer.from(json)) }
}

test.each([
  ['a snapshot event', onAccount()],
  ['a thin event', thinJson({ context: 'acct_1' })],
])('a lane is what the function names for %s, behind its account', (_shape, json) => {
  const seen = vi.fn<LaneOf>(() => 'cus_1')
  const { laneOf, onFault } = setUp(seen)
  expect(laneOf(json)).toBe('acct_1/cus_1')
  expect(seen.mock.calls[0]?.[0]).toMatchObject({ id: JSON.parse(json).id, type: JSON.parse(json).type })
  expect(onFault).not.toHaveBeenCalled()
})

test('a lane of our own account has none before it', () => {
  expect(setUp(() => 'cus_1').laneOf(snapshotJson())).toBe('/cus_1')
})

test('a lane may be as long as 255 characters', () => {
  expect(setUp(() => 'x'.repeat(255)).laneOf(snapshotJson())).toBe(`/${'x'.repeat(255)}`)
})

test('a lane is the default one, without a word, where the function gives undefined', () => {
  const { laneOf, onFault } = setUp(() => undefined)
  const json = onAccount()
  expect(laneOf(json)).toBe(parseEnvelope(json).lane)
  expect(onFault).not.toHaveBeenCalled()
})

test.each<[string, () => unknown, RegExp]>([
  ['an empty string', () => '', /a string that is no plain name: expected 1 to 255 printable/],
  ['a longer string', () => 'x'.repeat(256), /no plain name/],
  ['a space', () => 'Jenny Rosen', /^it returned a string that is no plain name: [^J]*$/],
  ['a line break', () => 'cus_1\n', /no plain name/],
  ['an umlaut', () => 'Jürgen', /no plain name/],
  ['a number', () => 1, /a value of type number/],
  ['null', () => null, /returned null/],
  ['a promise', async () => 'cus_1', /a promise/],
  ['a promise that is rejected', () => Promise.reject(new Error('no database')), /a promise/],
])('a lane is the default one where the function gives %s', (_what, laneOf, reason) => {
  // What a module in JavaScript may do.
  const { laneOf: choose, onFault } = setUp(laneOf as LaneOf)
  const json = onAccount()
  expect(choose(json)).toBe(parseEnvelope(json).lane)
  const { eventId, type } = parseEnvelope(json)
  expect(onFault.mock.calls).toEqual([[{ eventId, type, reason: expect.stringMatching(reason) }]])
})

test('a lane is the default one where the function throws, whatever it throws', () => {
  const thrown = [new TypeError('no customer'), 'text', undefined]
  for (const [index, what] of thrown.entries()) {
    const { laneOf, onFault } = setUp(() => {
      throw what
    })
    const json = onAccount()
    expect(laneOf(json)).toBe(parseEnvelope(json).lane)
    expect(onFault).toHaveBeenCalledOnce()
    if (index === 0) expect(onFault.mock.calls[0]?.[0].reason).toBe('it threw TypeError: no customer')
  }
})

test('a fault is told once for each type, and of a hundred types', () => {
  const { laneOf, onFault } = setUp(() => '')
  for (let round = 0; round < 2; round += 1) {
    for (let type = 0; type < 150; type += 1) laneOf(snapshotJson({ type: `x.${type}` }))
  }
  expect(onFault).toHaveBeenCalledTimes(100)
})

test('the function cannot reach Stripe', async () => {
  let asked: Promise<unknown> | undefined
  const { laneOf } = setUp((event) => {
    if ('fetchRelatedObject' in event) asked = event.fetchRelatedObject()
    return 'cus_1'
  })
  expect(laneOf(thinJson())).toBe('/cus_1')
  await expect(asked).rejects.toMatchObject({ name: 'PermanentError' })
})
