import { describe, expect, it } from 'vitest'
import type { TargetState } from '../../src/inbox/forwards.ts'
import { judge, type Learned, learn, UNTRIED } from '../../src/targets/circuit.ts'

const SECOND = 1_000
const MINUTE = 60_000
const DAY = 86_400_000
/** Failures at these instants, one after the other. */
const failAt = (instants: readonly number[], from: TargetState = UNTRIED) =>
  instants.reduce((state, at) => learn(state, { kind: 'failure', at }, at), from)
const every = (ms: number, count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index * ms)
const opened = failAt(every(4 * SECOND, 10))

describe('the circuit', () => {
  it('opens after 10 failures in a row over 30 s or more', () => {
    expect(opened.open).toEqual({ since: 36 * SECOND, probeAt: 66 * SECOND, probes: 0 })
    expect(failAt(every(4 * SECOND, 9)).open).toBeNull()
    expect(failAt(every(SECOND, 29)).open).toBeNull()
    expect(failAt(every(SECOND, 31)).open).not.toBeNull()
  })

  it('counts from the last success', () => {
    const again = learn(failAt(every(4 * SECOND, 9)), { kind: 'success' }, 40 * SECOND)
    expect(again).toEqual(UNTRIED)
    expect(failAt(every(4 * SECOND, 9, 41 * SECOND), again).open).toBeNull()
  })

  it('lets nothing pass but one probe after 30 s, then after 60 s, doubling to 5 min', () => {
    let state = opened
    let now = 36 * SECOND
    for (const wait of [30 * SECOND, MINUTE, 2 * MINUTE, 4 * MINUTE, 5 * MINUTE, 5 * MINUTE]) {
      expect(judge(state, now + wait - 1)).toBe('none')
      now += wait
      expect(judge(state, now)).toBe('probe')
      const probing = learn(state, { kind: 'probe', forMs: 10 * SECOND }, now)
      expect(judge(probing, now)).toBe('none')
      state = learn(probing, { kind: 'failure', at: now }, now)
    }
  })

  it('learns nothing from what had begun before it opened', () => {
    const late = learn(opened, { kind: 'failure', at: 35 * SECOND }, 40 * SECOND)
    expect(late.open).toEqual(opened.open)
  })

  it('closes on a success', () => {
    const closed = learn(opened, { kind: 'success' }, 70 * SECOND)
    expect(judge(closed, 70 * SECOND)).toBe('all')
    expect(closed).toEqual(UNTRIED)
  })

  it('does not wait for longer than it may because a clock was set back', () => {
    expect(judge(opened, opened.open?.since ?? 0)).toBe('none')
    expect(judge(opened, -DAY)).toBe('probe')
  })
})

describe('a target', () => {
  it('is held after five days without a success and 10 failures, and not before', () => {
    expect(failAt([0, 6 * DAY]).hold).toBeNull()
    const failing = failAt(every(SECOND, 9))
    expect(learn(failing, { kind: 'failure', at: 5 * DAY - 1 }, 5 * DAY - 1).hold).toBeNull()
    const held = learn(failing, { kind: 'failure', at: 5 * DAY }, 5 * DAY)
    expect(held.hold).toEqual({ who: 'the server', reason: 'five days without a success', at: 5 * DAY })
    expect(judge(held, 9 * DAY)).toBe('none')
  })

  it('that is held stays so until a person resumes it, and begins anew', () => {
    const held = learn(opened, { kind: 'hold', who: 'ann', reason: 'a migration' }, 1)
    expect(learn(held, { kind: 'success' }, 2).hold).toEqual({ who: 'ann', reason: 'a migration', at: 1 })
    expect(learn(held, { kind: 'hold', who: 'bob', reason: 'me too' }, 2)).toBe(held)
    expect(learn(held, { kind: 'resume' }, 3)).toEqual(UNTRIED)
  })

  it('is left alone for as long as it asks, six hours at most', () => {
    const pause: Learned = { kind: 'pause', forMs: 90 * SECOND }
    const paused = learn(UNTRIED, pause, 0)
    expect([judge(paused, 90 * SECOND - 1), judge(paused, 90 * SECOND)]).toEqual(['none', 'all'])
    expect(learn(UNTRIED, { kind: 'pause', forMs: DAY }, 0).pausedUntil).toBe(6 * 60 * MINUTE)
  })

  it('is left alone until the latest of the instants that it named, whatever else it answers meanwhile', () => {
    const paused = learn(UNTRIED, { kind: 'pause', forMs: MINUTE }, 0)
    expect(learn(paused, { kind: 'pause', forMs: SECOND }, 0)).toBe(paused)
    expect(learn(paused, { kind: 'pause', forMs: MINUTE }, SECOND).pausedUntil).toBe(61 * SECOND)
    expect(learn(paused, { kind: 'success' }, MINUTE - 1)).toBe(paused)
    expect(learn({ ...opened, pausedUntil: MINUTE }, { kind: 'success' }, 40 * SECOND)).toEqual(paused)
    expect(learn(paused, { kind: 'success' }, MINUTE)).toEqual(UNTRIED)
    expect(learn(paused, { kind: 'resume' }, 1)).toEqual(UNTRIED)
  })

  it('is not left alone for longer than it may because a clock was set back', () => {
    const paused = learn(UNTRIED, { kind: 'pause', forMs: MINUTE }, DAY)
    expect(judge(paused, 0)).toBe('all')
    expect(learn(paused, { kind: 'pause', forMs: SECOND }, 0).pausedUntil).toBe(SECOND)
  })

  it('of which nothing new is known costs no write', () => {
    expect(learn(UNTRIED, { kind: 'success' }, 5)).toBe(UNTRIED)
  })
})
