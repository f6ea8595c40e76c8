import type { Look } from './console-pages.ts'
import { type ConsoleMeasurement, type ConsoleName, consoleNames } from './measure-console.ts'
import { SEARCH_LOAD } from './measure-searches.ts'
import type { Plan } from './plan.ts'
import { compare, divide, measuredOf, ownTurn, type Rounds, ratioOf, type Whose } from './rounds.ts'
import { createRow, type Row } from './row.ts'
import { describeEntries } from './stall-rows.ts'
import { quantile } from './statistics.ts'

const LOOKED_P99_GROWTH = 1.1
const PAGE_MS = 300

/** The p99 of a steady load, without and with somebody who looks at the console, and how long its pages take meanwhile. */
export function createConsoleRows(rounds: Rounds<ConsoleMeasurement>, { filledEntries }: Plan): Row[] {
  const titles = { console: '', 'postgres-console': ' on Postgres' }
  const rate = `${SEARCH_LOAD.perSecond.toLocaleString('en')}/s`
  return consoleNames.flatMap((name) => {
    if (!rounds.has(name)) return []
    const quietOf = ({ quiet }: ConsoleMeasurement) => quiet.p99Ms
    const lookedOf = ({ looked }: ConsoleMeasurement) => looked.load.p99Ms
    const title = `p99 at ${rate}, ${describeEntries(filledEntries)}${titles[name]}, console unused`
    const own = ownTurn(name)
    const growth = ratioOf(rounds, own, own, lookedOf, quietOf)
    return [
      createRow({ name: title, unit: 'ms', ...compare(rounds, name, quietOf), ratio: 1 }),
      createRow({
        name: '  its pages looked at all the time',
        unit: 'ms',
        ...compare(rounds, name, lookedOf),
        ratio: growth,
        target: { of: 'ratio', atMost: LOOKED_P99_GROWTH },
      }),
      createPageRow(rounds, name, ({ looked }) => looked.looks, 'slowest page', { of: 'value', atMost: PAGE_MS }),
      createPageRow(rounds, name, ({ searched }) => searched.looks, 'without an index'),
    ]
  })
}

/** The p95 of the slowest page, over all rounds: of each there are few looks in one. */
function createPageRow(
  rounds: Rounds<ConsoleMeasurement>,
  name: ConsoleName,
  pick: (measured: ConsoleMeasurement) => readonly Look[],
  title: string,
  target?: Row['target'],
): Row {
  const slowestOf = (whose: Whose) => findSlowest(measuredOf(rounds, { name, whose }).flatMap(pick))
  const { page, p95Ms: value } = slowestOf('this')
  const toBefore = rounds.has(`${name}, before`) ? divide(value, slowestOf('before').p95Ms) : undefined
  return createRow({ name: `  ${title}, p95: /console${page}`, unit: 'ms', value, toBefore, target })
}

function findSlowest(looks: readonly Look[]): { readonly page: string; readonly p95Ms: number } {
  const p95s = [...Map.groupBy(looks, ({ page }) => page)].map(([page, each]) => {
    const times = each.map(({ ms }) => ms)
    return { page, p95Ms: quantile(times, 0.95) }
  })
  const slowest = p95s.sort((one, other) => other.p95Ms - one.p95Ms)[0]
  if (slowest === undefined) throw new Error('no page was looked at')
  return slowest
}
