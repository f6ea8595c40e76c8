import { expect, it } from 'vitest'
import type { ClaimResult } from './claim-process.ts'
import { createConsoleRows } from './console-rows.ts'
import { createFairnessRows, createForwardRows } from './forward-rows.ts'
import { createLoadRows, describeSample } from './load-rows.ts'
import type { Handling, LoadMeasurement } from './measure-loads.ts'
import { createClaimRows, createDrainRows } from './other-rows.ts'
import { createPlan } from './plan.ts'
import { createRow, describeTarget, type Row } from './row.ts'
import { createSearchRows, createStallRows } from './stall-rows.ts'
import { median, quantile } from './statistics.ts'

const measured = (perSecond: number, handling?: Handling): LoadMeasurement => ({
  perSecond,
  p50Ms: 2,
  p99Ms: 5,
  p999Ms: 9,
  fromAt: 0,
  untilAt: 1_000,
  answered: perSecond,
  refused: 0,
  processorMs: 900,
  generatorBusy: 0.3,
  peakMemoryBytes: 150e6,
  handling,
})

/** Of the last server that has such a row. */
const find = (rows: readonly Row[], name: string) => rows.findLast((row) => row.name.includes(name))

it('judges a row by the bound on its value or ratio', () => {
  const target = { of: 'ratio', atMost: 1.5 } as const
  const row = { name: 'claim', value: 800, unit: 'µs', target }
  expect(createRow({ ...row, ratio: 1.5 }).isMet).toBe(true)
  expect(createRow({ ...row, ratio: 1.51 }).isMet).toBe(false)
  expect(createRow(row).isMet).toBeUndefined()
  expect(describeTarget(createRow(row))).toBe('≤ 1.5 ×')
  const drain = createRow({ name: 'drain', value: 9_999, unit: '/s', target: { of: 'value', atLeast: 10_000 } })
  expect([drain.isMet, describeTarget(drain)]).toEqual([false, '≥ 10,000 /s'])
})

it('judges by the ratio to before, and has no such target where there is none', () => {
  const row = { name: 'receive', value: 9_000, unit: '/s', ratio: 0.9, target: { of: 'before', atLeast: 1.1 } } as const
  expect(createRow({ ...row, toBefore: 1.2 }).isMet).toBe(true)
  expect(createRow({ ...row, toBefore: 1.05 }).isMet).toBe(false)
  expect(describeTarget(createRow({ ...row, toBefore: 1 }))).toBe('≥ 1.1 × before')
  const alone = createRow(row)
  expect([alone.isMet, describeTarget(alone)]).toEqual([undefined, ''])
})

it('compares with the sample and with before, round by round', () => {
  const rows = createLoadRows(
    new Map([
      ['sample', [measured(10_000), measured(20_000), measured(90_000)]],
      ['receive', [measured(19_000), measured(21_000), measured(1_000)]],
      ['receive, before', [measured(9_500), measured(10_000), measured(20_000)]],
    ]),
  )
  expect(find(rows, 'accepting only')).toMatchObject({ value: 19_000, ratio: 1.05, toBefore: 2, isMet: true })
})

it('compares accepting without searchable values with accepting them, where that was measured', () => {
  const rounds = new Map([
    ['sample', [measured(20_000)]],
    ['receive-unsearched', [measured(12_000)]],
  ])
  expect(find(createLoadRows(rounds), 'no searchable values')?.ratio).toBeUndefined()
  const rows = createLoadRows(rounds.set('receive', [measured(10_000)]))
  expect(find(rows, 'no searchable values')?.ratio).toBe(1.2)
  expect(find(rows, 'processor time')).toMatchObject({ value: 75, ratio: expect.closeTo(75 / 90) })
})

it('compares accepting with a target with accepting without, on the same store', () => {
  const rounds = new Map([
    ['receive', [measured(10_000)]],
    ['receive-targets', [measured(8_400)]],
    ['postgres-receive', [measured(6_000)]],
    ['postgres-receive-targets', [measured(5_400)]],
  ])
  const rows = createLoadRows(rounds).filter(({ name }) => name.includes('target'))
  expect(rows).toMatchObject([
    { ratio: 0.84, isMet: false },
    { ratio: 0.9, isMet: true },
  ])
})

it('compares the way to a target beside dead ones with the way to the same alone, round by round', () => {
  const round = (aloneMs: number) => ({ aloneMs, besideDeadMs: 1.2 * aloneMs, besideDyingMs: 2 * aloneMs })
  expect(createFairnessRows(new Map([['fairness', [round(5), round(50), round(10)]]]))).toMatchObject([
    { value: 10, ratio: 1, isMet: undefined },
    { value: 12, ratio: 1.2, isMet: true },
    { value: 20, ratio: 2, isMet: undefined },
  ])
  expect(createForwardRows(new Map([['postgres-forward', [2_900, 3_100, 2_950]]]))).toMatchObject([
    { value: 2_950, isMet: false },
  ])
})

it('gives the processor time for a delivery, and the most memory of all rounds', () => {
  const [first, second] = [measured(9_000), measured(10_000)]
  const rows = createLoadRows(
    new Map([
      ['receive', [{ ...first, peakMemoryBytes: 240e6 }, first, second]],
      ['receive, before', [second]],
    ]),
  )
  expect(find(rows, 'processor time')).toMatchObject({ value: 100, unit: 'µs' })
  expect(find(rows, 'processor time')?.toBefore).toBeCloseTo(100 / 90)
  expect(find(rows, 'memory')).toMatchObject({ value: 240, toBefore: 1.6, isMet: false })
})

it('leaves out what a load has not: handling, and on systems without /proc processor time and memory', () => {
  const bare = { ...measured(9_000), processorMs: undefined, peakMemoryBytes: undefined }
  const rows = createLoadRows(new Map([['receive', [bare]]]))
  expect(rows.map(({ name }) => name.trim())).toEqual(['accepting only, durable', 'p50', 'p99'])
})

it('tells when the sample moved by more than a fifth between rounds', () => {
  const roundsOf = (...rates: number[]) => new Map([['sample', rates.map((rate) => measured(rate))]])
  expect(describeSample(roundsOf(10_000, 11_900, 11_000))).toEqual([])
  expect(describeSample(roundsOf(10_000, 12_100))).toEqual([expect.stringContaining('from 10,000 to 12,100 /s')])
  expect(describeSample(new Map())).toEqual([])
})

it('counts on the whole route what was handled, and says that the backlog grows', () => {
  const growing = { perSecond: 5_000, p50Ms: 20, p99Ms: 80, waitedFirst: 4_000, waitedThen: 9_000 }
  const rows = createLoadRows(
    new Map([
      ['sample', [measured(10_000)]],
      ['whole', [measured(9_000, growing)]],
      ['whole, before', [measured(9_000, { ...growing, p99Ms: 100 })]],
    ]),
  )
  expect(find(rows, 'whole route')).toMatchObject({ value: 5_000, ratio: 0.5, toBefore: 1, isMet: false })
  expect(find(rows, 'waiting')).toMatchObject({ value: 9_000, isMet: false })
  expect(find(rows, 'stored to handled, p99')).toMatchObject({ value: 80, toBefore: 0.8, isMet: false })
  expect(find(rows, 'processor time')?.value).toBe(180)
})

it('compares the drain of two workers with that of one, where that was measured', () => {
  const rates = new Map([['postgres-drain-2', [9_000, 11_000, 10_000]]])
  expect(createDrainRows(rates, 1_000)).toMatchObject([{ value: 10_000, isMet: undefined }])
  rates.set('postgres-drain', [8_000, 8_800, 8_000])
  expect(createDrainRows(rates, 1_000)).toMatchObject([
    { value: 8_000, isMet: true },
    { value: 10_000, ratio: 1.25, isMet: true },
  ])
})

it('compares a claim with the one that has the fewest entries waiting, and with the same of before', () => {
  const result = (name: string, claimUs: number): ClaimResult => ({
    name,
    claimUs,
    claimAndSettleUs: 2 * claimUs,
    firstOfAnotherLaneMs: undefined,
  })
  const rounds = new Map([
    ['claim', [[result('1K waiting', 500), result('1M waiting', 800)]]],
    ['claim, before', [[result('1K waiting', 250), result('1M waiting', 400)]]],
  ])
  expect(createClaimRows(rounds, 'claim').slice(0, 2)).toMatchObject([
    { name: 'claim of 16: 1K waiting', ratio: 1, toBefore: 2, isMet: undefined },
    { name: 'claim of 16: 1M waiting', ratio: 1.6, toBefore: 2, isMet: false },
  ])
})

const plan = createPlan({ only: [], rounds: 1, seconds: 1, quick: false })

it("allows a stall what the docs' sample stalls too", () => {
  const stall = (stallMs: number) => ({ stallMs, load: measured(200) })
  const stallsOf = (sample: number) =>
    new Map([
      ['stall-locked, sample', [stall(sample)]],
      ['stall-locked', [stall(11), stall(13), stall(12)]],
      ['stall-locked, before', [stall(440), stall(520), stall(480)]],
    ])
  const [locked, sample] = createStallRows(stallsOf(2.5), plan)
  expect(locked).toMatchObject({ name: 'longest stall, file locked for 10 s', value: 12, toBefore: 0.025, isMet: true })
  expect(sample).toMatchObject({ value: 2.5, isMet: undefined })
  expect(createStallRows(stallsOf(1.5), plan)[0]?.isMet).toBe(false)
})

it('compares the p99 beside searches with the one without', () => {
  const load = (p99Ms: number) => ({ ...measured(1_000), p99Ms })
  const beside = (quietMs: number, searchedMs: number) => ({ quiet: load(quietMs), searched: load(searchedMs) })
  const rounds = new Map([
    ['search, sample', [beside(2, 3)]],
    ['search', [beside(4, 5), beside(4, 9)]],
    ['search, before', [beside(4, 50), beside(4, 90)]],
  ])
  expect(createSearchRows(rounds, plan)).toMatchObject([
    { name: 'p99 at 1,000/s, 2,000,000 entries', value: 4, ratio: 1, toBefore: 1, isMet: undefined },
    { value: 7, ratio: 1.75, toBefore: 0.1, isMet: false },
    { value: 3, ratio: 1.5, isMet: undefined },
  ])
})

it('judges the console by its slowest page over all rounds, and by the p99 beside it', () => {
  const load = (p99Ms: number) => ({ ...measured(1_000), p99Ms })
  const lookedAt = (page: string, ...times: number[]) => times.map((ms) => ({ page, ms }))
  const round = (quietMs: number, lookedMs: number, slowMs: number) => ({
    quiet: load(quietMs),
    looked: { load: load(lookedMs), looks: [...lookedAt('/quick', 5, 6), ...lookedAt('/slow', slowMs, slowMs)] },
    searched: { load: load(9), looks: lookedAt('/events?type', 400) },
  })
  const rounds = new Map([
    ['console', [round(4, 4.2, 100), round(4, 4.8, 310)]],
    ['console, before', [round(4, 8, 620)]],
  ])
  expect(createConsoleRows(rounds, plan)).toMatchObject([
    { name: 'p99 at 1,000/s, 2,000,000 entries, console unused', value: 4, ratio: 1, toBefore: 1 },
    { value: 4.5, ratio: 1.125, isMet: false },
    { name: '  slowest page, p95: /console/slow', value: 310, toBefore: 0.5, isMet: false },
    { name: '  without an index, p95: /console/events?type', value: 400, isMet: undefined },
  ])
  const alone = createConsoleRows(new Map([['console', [round(4, 4.2, 300)]]]), plan)
  expect(alone.map(({ isMet, toBefore }) => [isMet, toBefore])).toEqual([
    [undefined, undefined],
    [true, undefined],
    [true, undefined],
    [undefined, undefined],
  ])
})

it('takes the middle, or the mean of the two in the middle', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), quantile([5, 1, 4, 2, 3], 0.99)]).toEqual([2, 2.5, 5])
  expect(median([])).toBeNaN()
})
