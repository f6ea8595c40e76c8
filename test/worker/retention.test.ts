import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Inbox, PrunePolicy, Undealt } from '../../src/inbox/inbox.ts'
import type { Repeating } from '../../src/repeat.ts'
import { createRound, startRetention } from '../../src/worker/retention.ts'
import { eventually } from '../support/eventually.ts'
import { captureLog } from '../support/log-lines.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

let captured: Awaited<ReturnType<typeof captureLog>>
let policies: PrunePolicy[]
let undealt: Undealt
let onPrune: () => void
beforeEach(async () => {
  captured = await captureLog()
  policies = []
  undealt = { entries: 0, oldestMs: null }
  onPrune = () => {}
})

/** An inbox with `steps` full steps to do before the last. */
function pruning(steps: number): Inbox {
  const inbox: Pick<Inbox, 'prune' | 'undealt'> = {
    async prune(policy) {
      policies.push(policy)
      onPrune()
      const isLast = policies.length > steps
      return isLast ? { bodies: 0, entries: 0, next: null } : { bodies: 7, entries: 1, next: `${policies.length}` }
    },
    undealt: async () => undealt,
  }
  // Retention calls nothing else.
  return inbox as Inbox
}

describe('retention', () => {
  let retention: Repeating | undefined
  afterEach(() => retention?.stop())
  const start = (inbox: Inbox, retentionDays = 30) => {
    retention = startRetention({ inbox, log: captured.log, retentionDays })
    return retention
  }

  it.each([
    [30, 30, 60],
    [7, 7, 60],
    [90, 90, 180],
  ])('with RETENTION_DAYS %i drops bodies after %i days and ids after %i', async (retentionDays, bodyDays, idDays) => {
    start(pruning(0), retentionDays)
    await eventually('a step', () => policies.length > 0)
    expect(policies[0]).toMatchObject({ bodiesAfterMs: bodyDays * DAY_MS, entriesAfterMs: idDays * DAY_MS })
  })

  it('takes small steps, each where the one before ended, and says what it dropped', async () => {
    start(pruning(2))
    const [line] = await eventually('the end of a round', () => captured.lines().length > 0 && captured.lines())
    expect(policies[0]?.limit).toBeLessThanOrEqual(1_000)
    expect(policies.map(({ after }) => after)).toEqual([undefined, '1', '2'])
    expect(line).toMatchObject({ bodies: 14, entries: 2 })
  })

  it('goes on after a failure of the store, and stops when told', async () => {
    const inbox = { prune: () => Promise.reject(new Error('locked')) } as unknown as Inbox
    const started = start(inbox)
    const [line] = await eventually('the failure', () => captured.lines().length > 0 && captured.lines())
    expect(line).toMatchObject({ level: 40, err: { message: 'locked' } })
    await started.stop()
  })
})

describe('a round of retention', () => {
  let wall: number
  let monotonic: number
  const pass = (ms: number, jumpMs = 0) => {
    wall += ms + jumpMs
    monotonic += ms
  }
  const makeRound = (inbox: Inbox) => {
    ;[wall, monotonic] = [Date.now(), 1_000]
    const time = { wall: () => wall, monotonic: () => monotonic }
    const round = createRound({ inbox, log: captured.log, retentionDays: 30 }, time)
    return () => round(new AbortController().signal)
  }

  it.each([
    ['ahead', 70 * DAY_MS],
    ['back', -70 * DAY_MS],
  ])('is sat out when the clock jumped %s since the last, and not the next one', async (_where, jumpMs) => {
    const round = makeRound(pruning(0))
    await round()
    pass(HOUR_MS, jumpMs)
    await round()
    expect(policies).toHaveLength(1)
    expect(captured.lines()).toMatchObject([{ level: 40, msg: expect.stringContaining('clock jumped') }])
    pass(HOUR_MS)
    await round()
    expect(policies).toHaveLength(2)
  })

  it('is sat out when the clock jumped since the start', async () => {
    const round = makeRound(pruning(0))
    pass(5, 61_000)
    await round()
    expect(policies).toEqual([])
  })

  it('ends before the step until which the clock jumped', async () => {
    const round = makeRound(pruning(9))
    onPrune = () => pass(5, policies.length === 2 ? 70 * DAY_MS : 0)
    await round()
    expect(policies).toHaveLength(2)
    expect(captured.lines()).toMatchObject([{ bodies: 14 }, { msg: expect.stringContaining('clock jumped') }])
  })

  it('goes on while the clock is merely set right', async () => {
    const round = makeRound(pruning(0))
    pass(HOUR_MS, 59_000)
    await round()
    expect(policies).toHaveLength(1)
    expect(captured.lines()).toEqual([])
  })

  it('warns of what nobody has dealt with for longer than bodies are kept', async () => {
    undealt = { entries: 3, oldestMs: 45.6 * DAY_MS }
    await makeRound(pruning(0))()
    expect(captured.lines()).toMatchObject([
      { level: 40, entries: 3, oldestDays: 45, msg: expect.stringContaining('events list --state dead,parked') },
    ])
  })

  it.each([
    ['younger', { entries: 3, oldestMs: 29 * DAY_MS }],
    ['none', { entries: 0, oldestMs: null }],
  ])('is silent when what nobody dealt with is %s', async (_what, found) => {
    undealt = found
    await makeRound(pruning(0))()
    expect(captured.lines()).toEqual([])
  })
})
