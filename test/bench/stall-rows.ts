import { SEARCH_LOAD_PER_SECOND, type SearchMeasurement, searchNames } from './measure-searches.ts'
import { type StallMeasurement, type StallName, stallNames } from './measure-stalls.ts'
import type { Plan } from './plan.ts'
import { compare, divide, medianOf, type Rounds } from './rounds.ts'
import { createRow, type Row } from './row.ts'
import { SLOW_SYNC_MS } from './slow-sync.ts'

/** Of the store's making; what collecting garbage and compiling take comes on top, and the sample tells how much that is. */
const STALL_MS = 10
const SEARCHED_P99_GROWTH = 1.5

/** The longest stall of each kind, in the median of the rounds, and the sample's. */
export function createStallRows(rounds: Rounds<StallMeasurement>, { lockSeconds, filledEntries }: Plan): Row[] {
  const titles: Readonly<Record<StallName, string>> = {
    'stall-slow-sync': `longest stall, syncs ${SLOW_SYNC_MS} ms slower`,
    'stall-locked': `longest stall, file locked for ${lockSeconds} s`,
    'stall-search': `longest stall, ${describeEntries(filledEntries)} searched`,
  }
  const stallOf = ({ stallMs }: StallMeasurement) => stallMs
  return stallNames.flatMap((name) => {
    if (!rounds.has(name)) return []
    const sample = medianOf(rounds, { name, whose: 'sample' }, stallOf) ?? 0
    const compared = compare(rounds, name, stallOf)
    const target = { of: 'value', atMost: Math.round((STALL_MS + sample) * 10) / 10 } as const
    const ratio = divide(compared.value, sample)
    return [
      createRow({ name: titles[name], unit: 'ms', ...compared, ratio, target }),
      createRow({ name: "  docs' sample, under the same", value: sample, unit: 'ms', ratio: 1 }),
    ]
  })
}

/** Latencies of a steady load, with and without somebody who looks. */
export function createSearchRows(rounds: Rounds<SearchMeasurement>, { filledEntries }: Plan): Row[] {
  const titles = { search: '', 'postgres-search': ' on Postgres' }
  return searchNames.flatMap((name) => {
    if (!rounds.has(name)) return []
    const quiet = compare(rounds, name, ({ quiet }) => quiet.p99Ms)
    const searched = compare(rounds, name, ({ searched }) => searched.p99Ms)
    const rate = `${SEARCH_LOAD_PER_SECOND.toLocaleString('en')}/s`
    return [
      createRow({
        name: `p99 at ${rate}, ${describeEntries(filledEntries)}${titles[name]}`,
        unit: 'ms',
        ...quiet,
        ratio: 1,
      }),
      createRow({
        name: '  searched all the time, scraped each second',
        unit: 'ms',
        ...searched,
        ratio: divide(searched.value, quiet.value),
        target: { of: 'ratio', atMost: SEARCHED_P99_GROWTH },
      }),
    ]
  })
}

const describeEntries = (count: number) => `${count.toLocaleString('en')} entries`
