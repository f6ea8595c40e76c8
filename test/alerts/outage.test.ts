import { expect, it } from 'vitest'
import { createOutage } from '../../src/alerts/outage.ts'

const kindAt = (outage: ReturnType<typeof createOutage>, isUp: boolean, now: number) => outage.onLooked(isUp, now)?.kind

it('is told once it has lasted for a minute, and once it is over, with what was refused meanwhile', () => {
  const outage = createOutage()
  expect(outage.onLooked(true, 0)).toBeUndefined()
  outage.onRefused()
  expect(outage.onLooked(true, 4_000)).toBeUndefined()
  outage.onRefused()
  for (const now of [5_000, 30_000, 64_999]) expect(outage.onLooked(false, now)).toBeUndefined()
  outage.onRefused()
  const down = outage.onLooked(false, 65_000)
  expect(down?.kind).toBe('store_down')
  expect(down?.tell(nothing)).toMatchObject({
    sentence: expect.stringContaining('down for 60 s: deliveries are answered 503 (2 so far)'),
    facts: { downSeconds: 60, refused: 2 },
  })
  expect(outage.onLooked(false, 70_000)).toBeUndefined()
  outage.onRefused()
  const back = outage.onLooked(true, 185_000)
  expect(back?.kind).toBe('store_back')
  expect(back?.tell(nothing)).toMatchObject({
    sentence: expect.stringContaining(
      'back after 3 min; deliveries answered 503 meanwhile, which Stripe sends again: 3',
    ),
    facts: { downSeconds: 180, refused: 3 },
  })
  expect(outage.onLooked(true, 190_000)).toBeUndefined()
})

it('is nothing to tell when it was shorter, and the next one counts anew', () => {
  const outage = createOutage()
  expect(kindAt(outage, false, 0)).toBeUndefined()
  expect(kindAt(outage, true, 59_000)).toBeUndefined()
  expect(kindAt(outage, false, 60_000)).toBeUndefined()
  expect(kindAt(outage, false, 119_000)).toBeUndefined()
  expect(kindAt(outage, false, 120_000)).toBe('store_down')
})

const nothing = { counts: {}, total: 0, eventIds: [], isFurther: false, isMixed: false }
