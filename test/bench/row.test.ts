import { expect, it } from 'vitest'
import { createLoadRows } from './load-rows.ts'
import type { DrainName } from './measure-drain.ts'
import type { Handling, LoadMeasurement } from './measure-loads.ts'
import { createDrainRows } from './other-rows.ts'
import { createRow, describeTarget } from './row.ts'
import { median, quantile } from './statistics.ts'

const measured = (perSecond: number, handling?: Handling): LoadMeasurement => ({
  perSecond,
  p50Ms: 2,
  p99Ms: 5,
  fromAt: 0,
  untilAt: 1_000,
  answered: perSecond,
  generatorBusy: 0.3,
  peakMemoryBytes: 150e6,
  handling,
})

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

it('compares the medians of the rounds with those of the sample', () => {
  const rows = createLoadRows(
    new Map([
      ['sample', [measured(10_000), measured(20_000), measured(90_000)]],
      ['receive', [measured(19_000), measured(21_000), measured(1_000)]],
    ]),
  )
  const receive = rows.find(({ name }) => name.startsWith('accepting only'))
  expect(receive).toMatchObject({ value: 19_000, ratio: 0.95, isMet: false })
})

it('counts on the whole route what was handled, and says that the backlog grows', () => {
  const growing = { perSecond: 5_000, waitedFirst: 4_000, waitedThen: 9_000 }
  const rows = createLoadRows(
    new Map([
      ['sample', [measured(10_000)]],
      ['whole', [measured(9_000, growing)]],
    ]),
  )
  expect(rows.find(({ name }) => name.startsWith('whole route'))).toMatchObject({
    value: 5_000,
    ratio: 0.5,
    isMet: false,
  })
  expect(rows.find(({ name }) => name.includes('waiting'))).toMatchObject({ value: 9_000, isMet: false })
})

it('compares the drain of two workers with that of one, where that was measured', () => {
  const rates = new Map<DrainName, number[]>([['postgres-drain-2', [9_000, 11_000, 10_000]]])
  expect(createDrainRows(rates, 1_000)).toMatchObject([{ value: 10_000, isMet: undefined }])
  rates.set('postgres-drain', [8_000])
  expect(createDrainRows(rates, 1_000)).toMatchObject([
    { value: 10_000, ratio: 1.25, isMet: true },
    { value: 8_000, isMet: true },
  ])
})

it('takes the middle, or the mean of the two in the middle', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), quantile([5, 1, 4, 2, 3], 0.99)]).toEqual([2, 2.5, 5])
  expect(median([])).toBeNaN()
})
