import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Attempt } from '../../../src/event.ts'
import type { EntryDetail } from '../../../src/inbox/inbox.ts'
import { createDelivery, createTwin, type Delivery } from '../../support/load.ts'
import { newEntry } from '../../support/new-entry.ts'
import type { RecordedStep } from '../../support/recording-handlers.ts'
import { LEASE_MS } from './place.ts'
import type { Store } from './subject.ts'
import { createLosses, judgeChange, judgeOverlap, type KnownEvent } from './verdict.ts'

const BEGIN = Date.parse('2026-11-01T12:00:00Z')
const [PID, OTHER_PID] = [101, 102]

/** What the nemesis does here, it does a little later. */
beforeEach(() => void vi.useFakeTimers({ now: BEGIN + 100, toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

interface Given {
  readonly delivery?: Delivery
  /** What ran, as `<attempt> in <pid>`, whether its handler ended, and what the store says of each attempt. */
  readonly ran: readonly (readonly [attempt: number, pid: number, isEnded: boolean])[]
  readonly outcomes: readonly Attempt['outcome'][]
  readonly attempts?: number
  readonly reason?: string
  /** When the first attempt began, and how long each lasted in the store. */
  readonly begin?: number
  readonly leaseMs?: number
}

function createEvent(given: Given): KnownEvent {
  const { delivery = createDelivery(), ran, outcomes, attempts, reason, begin = BEGIN, leaseMs = LEASE_MS } = given
  const { eventId } = delivery
  const steps = ran.flatMap(([attempt, pid, isEnded]): RecordedStep[] => {
    const step = { eventId, attempt, pid, at: BEGIN }
    return [{ ...step, step: 'started' }, ...(isEnded ? [{ ...step, step: 'handled' as const }] : [])]
  })
  const instant = (number: number) => new Date(begin + number * leaseMs)
  const settled: EntryDetail = {
    entry: {
      ...newEntry({ eventId }),
      state: 'handled',
      attempts: attempts ?? outcomes.length,
      replays: 0,
      receivedAt: new Date(BEGIN),
      dueAt: new Date(BEGIN),
      settledAt: new Date(),
      reason: reason ?? null,
    },
    attempts: outcomes.map((outcome, index) => ({
      ...{ number: index + 1, replay: 0, outcome, error: null },
      startedAt: instant(index),
      endedAt: instant(index + 1),
    })),
    body: null,
    decision: null,
    forwards: [],
  }
  return { delivery, twins: [], sentAt: BEGIN, acknowledgedAt: BEGIN, steps, settled }
}

const judge = (given: Given, losses = createLosses('sqlite')) => judgeChange([createEvent(given)], losses)

/** Of an event whose first attempt was lost after its handler ended. */
const twice: Given = {
  ran: [
    [1, PID, true],
    [2, OTHER_PID, true],
  ],
  outcomes: ['lost', 'handled'],
}

describe('of one event', () => {
  it('nothing is wrong when one attempt was its handling', () => {
    expect(judge({ ran: [[1, PID, true]], outcomes: ['handled'] })).toEqual([])
  })

  it.each<Store>(['sqlite', 'postgres'])('an attempt without an end is excused by a kill, on %s', (store) => {
    const losses = createLosses(store)
    expect(judge(twice, losses)).toEqual([expect.stringMatching(/^attempt 1 of .* was lost, and nothing excuses it$/)])
    losses.onKilled(PID)
    expect(judge(twice, losses)).toEqual([])
  })

  it('on Postgres, and there alone, it is excused by a time without the store within its lease', () => {
    for (const [store, problems] of [
      ['sqlite', 1],
      ['postgres', 0],
    ] as const) {
      const losses = createLosses(store)
      losses.onCutOff([OTHER_PID])
      expect(judge(twice, losses)).toHaveLength(1)
      losses.onCutOff([PID])
      losses.onWell()
      expect(judge(twice, losses)).toHaveLength(problems)
    }
  })

  it('on Postgres nothing excuses it before its lease ended, nor a time without the store that was over before it began', () => {
    const losses = createLosses('postgres')
    losses.onCutOff([PID])
    expect(judge({ ...twice, leaseMs: LEASE_MS - 1 }, losses)).toHaveLength(1)
    losses.onWell()
    expect(judge({ ...twice, begin: BEGIN + 200 }, losses)).toHaveLength(1)
    expect(judge(twice, losses)).toEqual([])
  })

  it('an attempt that nobody was told of is excused where an answer may have been lost', () => {
    const given: Given = { ran: [[2, PID, true]], outcomes: ['lost', 'handled'] }
    const losses = createLosses('sqlite')
    expect(judge(given, losses)).toEqual([expect.stringContaining('was lost unstarted, and nothing excuses it')])
    losses.onCutOff([PID])
    expect(judge(given, losses)).toEqual([])
  })

  it('a failed attempt is excused by a process that stood still, and by nothing else', () => {
    const losses = createLosses('sqlite')
    losses.onKilled(PID)
    const failed: Given = { ...twice, outcomes: ['retried', 'handled'] }
    expect(judge(failed, losses)).toEqual([expect.stringContaining('was retried, and nothing excuses it')])
    losses.onCutOff([PID])
    expect(judge(failed, losses)).toEqual([])
  })

  it('a start after it was handled is told', () => {
    const problems = judge({
      ran: [
        [1, PID, true],
        [2, PID, false],
      ],
      outcomes: ['handled'],
    })
    expect(problems).toEqual([expect.stringMatching(/^attempt 2 of .* was started after it was handled$/)])
  })

  it('so is a handling that did not end, or did not run', () => {
    expect(judge({ ran: [[1, PID, false]], outcomes: ['handled'] })).toEqual([expect.stringContaining('did not end')])
    const [unrun] = judge({ ran: [], outcomes: ['handled'] })
    expect(unrun).toContain('its handler did not run')
  })

  it('so are attempts that are not as they were counted, or ended otherwise', () => {
    const [uncounted] = judge({ ran: [[1, PID, true]], outcomes: ['handled'], attempts: 2 })
    expect(uncounted).toMatch(/after 2 attempts, which are on record as: 1 handled$/)
    const [again] = judge({ ...twice, outcomes: ['handled', 'handled'] })
    expect(again).toMatch(/after 2 attempts, which are on record as: 1 handled, 2 handled$/)
  })
})

describe('of twins', () => {
  const snapshot = createDelivery()
  const ran: Given = { delivery: snapshot, ran: [[1, PID, true]], outcomes: ['handled'] }
  const thin = { delivery: createTwin(snapshot), outcomes: ['handled'] } as const

  it('one is handled, and the other for its sake', () => {
    const other = createEvent({ ...thin, ran: [], reason: `its twin ${snapshot.eventId} was handled (TWINS)` })
    expect(judgeChange([createEvent(ran), other], createLosses('sqlite'))).toEqual([])
  })

  it('it is told when both were handled', () => {
    const other = createEvent({ ...thin, ran: [[1, PID, true]] })
    expect(judgeChange([createEvent(ran), other], createLosses('sqlite'))).toEqual([
      expect.stringMatching(/are twins, and both were handled$/),
    ])
  })
})

it('two attempts that ran at once are told, unless the store had given up one of them', () => {
  const [running, started] = createEvent(twice).steps.filter(({ step }) => step === 'started')
  if (running === undefined || started === undefined) throw new Error('it was started twice')
  expect(judgeOverlap([running, started], () => false)).toMatch(/was started while attempt 1 of .* was running$/)
  expect(judgeOverlap([running, started], (step) => step === running)).toBeUndefined()
})
