import { SEARCH_LOAD, type SearchMeasurement, type SearchName, searchNames } from './measure-searches.ts'
import { type StallMeasurement, type StallName, stallNames } from './measure-stalls.ts'
import type { Plan } from './plan.ts'
import { compare, medianOf, ownTurn, type Rounds, ratioOf, type Turn } from './rounds.ts'
import { createRow, type Row } from './row.ts'
import { SLOW_SYNC_MS } from './slow-sync.ts'

/** Of the store's making; what collecting garbage and compiling take comes on top, and the sample tells how much that is. */
const STALL_MS = 10
const SEARCHED_P99_GROWTH = 1.5

const SEARCHED = '  searched all the time, scraped each second'
const SAMPLE = "  docs' sample, under the same"

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
    const ratio = ratioOf(rounds, ownTurn(name), { name, whose: 'sample' }, stallOf)
    return [
      createRow({ name: titles[name], unit: 'ms', ...compared, ratio, target }),
      createRow({ name: SAMPLE, value: sample, unit: 'ms', ratio: 1 }),
    ]
  })
}

/** The p99 of a steady load, with and without somebody who looks; the sample's tells what is only the cores that looking takes. */
export function createSearchRows(rounds: Rounds<SearchMeasurement>, { filledEntries }: Plan): Row[] {
  const titles = { search: '', 'postgres-search': ' on Postgres' }
  const rate = `${SEARCH_LOAD.perSecond.toLocaleString('en')}/s`
  return searchNames.flatMap((name) => {
    if (!rounds.has(name)) return []
    const quietOf = ({ quiet }: SearchMeasurement) => quiet.p99Ms
    const searchedOf = ({ searched }: SearchMeasurement) => searched.p99Ms
    const title = `p99 at ${rate}, ${describeEntries(filledEntries)}${titles[name]}`
    const target = { of: 'ratio', atMost: SEARCHED_P99_GROWTH } as const
    const sample = { name, whose: 'sample' } as const
    const growthOf = (turn: Turn<SearchName>) => ratioOf(rounds, turn, turn, searchedOf, quietOf)
    return [
      createRow({ name: title, unit: 'ms', ...compare(rounds, name, quietOf), ratio: 1 }),
      createRow({
        name: SEARCHED,
        unit: 'ms',
        ...compare(rounds, name, searchedOf),
        ratio: growthOf(ownTurn(name)),
        target,
      }),
      createRow({
        name: SAMPLE,
        unit: 'ms',
        value: medianOf(rounds, sample, searchedOf) ?? Number.NaN,
        ratio: growthOf(sample),
      }),
    ]
  })
}

/** Such as `2,000,000 entries`. */
export const describeEntries = (count: number) => `${count.toLocaleString('en')} entries`
