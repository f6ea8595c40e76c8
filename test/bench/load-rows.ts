import { type LoadMeasurement, type LoadName, loadNames } from './measure-loads.ts'
import { compare, divide, ownTurn, type Rounds, ratioOf, valuesOf, type Whose } from './rounds.ts'
import { createRow, type Row, type Target } from './row.ts'
import { SLOW_SYNC_MS } from './slow-sync.ts'

type Results = Rounds<LoadMeasurement>
type Pick = (measured: LoadMeasurement) => number | undefined

const MEGABYTE = 1e6
const MEMORY_MB = 230
/** Of the fastest server measured: the generator must be able to send that much more. */
const CEILING_MARGIN = 1.2
/** Entries that may wait while the whole route keeps up: what arrives within a few commits. */
const STEADY_BACKLOG = 1_000
/** Between rounds; more is told. */
const SAMPLE_MAY_MOVE = 1.2

const titles: Readonly<Record<LoadName, string>> = {
  ceiling: "generator's ceiling: raw node:http",
  sample: "docs' sample",
  receive: 'accepting only, durable',
  'receive-unsearched': 'accepting only, no searchable values',
  'receive-targets': 'accepting only, one target that takes all',
  'receive-slow-sync': `accepting only, syncs ${SLOW_SYNC_MS} ms slower`,
  'postgres-receive': 'accepting only, on Postgres',
  'postgres-receive-targets': 'accepting only, on Postgres, one target that takes all',
  whole: 'whole route, no-op handler',
}

/** On the whole route only what was handled in the time counts: answers alone would let the backlog grow. */
const rateOf = ({ perSecond, handling }: LoadMeasurement) => Math.min(perSecond, handling?.perSecond ?? Infinity)

/** Microseconds of the server's threads for each delivery. */
function processorUsOf(measured: LoadMeasurement): number | undefined {
  const { processorMs, fromAt, untilAt } = measured
  return processorMs && (processorMs * 1e6) / (rateOf(measured) * (untilAt - fromAt))
}

/** A line that each load has, unless there is nothing to pick; medians of the rounds. */
interface Line {
  readonly title: string | typeof titles
  readonly unit: string
  readonly pick: Pick
  readonly targets?: Partial<Record<LoadName, Target>>
}

const rateLine: Line = {
  title: titles,
  unit: '/s',
  pick: rateOf,
  targets: {
    receive: { of: 'before', atLeast: 1.1 },
    'receive-targets': { of: 'ratio', atLeast: 0.85 },
    'postgres-receive-targets': { of: 'ratio', atLeast: 0.85 },
    'receive-slow-sync': { of: 'before', atLeast: 1.2 },
    whole: { of: 'before', atLeast: 1.1 },
  },
}

const ownLines: readonly Line[] = [
  { title: '  p50', unit: 'ms', pick: ({ p50Ms }) => p50Ms },
  {
    title: '  p99',
    unit: 'ms',
    pick: ({ p99Ms }) => p99Ms,
    // No worse, within what five rounds differ by when nothing has changed.
    targets: { receive: { of: 'before', atMost: 1.1 } },
  },
  { title: '  answered', unit: '/s', pick: ({ handling, perSecond }) => handling && perSecond },
  { title: '  stored to handled, p50', unit: 'ms', pick: ({ handling }) => handling?.p50Ms },
  {
    title: '  stored to handled, p99',
    unit: 'ms',
    pick: ({ handling }) => handling?.p99Ms,
    targets: { whole: { of: 'before', atMost: 0.5 } },
  },
  {
    title: '  processor time for a delivery',
    unit: 'µs',
    pick: processorUsOf,
    targets: {
      receive: { of: 'before', atMost: 1.1 },
      // Postgres works on the same cores and bounds the rate, so that only this tells of the receiver.
      'postgres-receive': { of: 'ratio', atMost: 0.9 },
      whole: { of: 'before', atMost: 1.1 },
    },
  },
]

/** Rows of the loads, compared with the sample and with before. */
export function createLoadRows(results: Results): Row[] {
  return loadNames.flatMap((name) => {
    if (!results.has(name)) return []
    if (name === 'ceiling') return [createCeilingRow(results)]
    const rows = [rateLine, ...ownLines].map((line) => createLine(results, name, line))
    const measured = rows.filter(({ value }) => !Number.isNaN(value))
    return [...measured, ...createBacklogRows(results, name), ...createMemoryRows(results, name)]
  })
}

/** Says by how much the sample moved between rounds; empty when it did not, or was not measured. */
export function describeSample(results: Results): string[] {
  const rates = (results.get('sample') ?? []).map(({ perSecond }) => perSecond)
  const [slowest, fastest] = [Math.min(...rates), Math.max(...rates)]
  if (rates.length === 0 || fastest <= slowest * SAMPLE_MAY_MOVE) return []
  const [from, to] = [slowest, fastest].map((rate) => Math.round(rate).toLocaleString('en'))
  return [`The sample's rate moved by more than a fifth between rounds: from ${from} to ${to} /s.`]
}

function createLine(results: Results, name: LoadName, { title, unit, pick, targets }: Line): Row {
  return createRow({
    name: typeof title === 'string' ? title : title[name],
    unit,
    ...compare(results, name, pick),
    ratio: ratioOf(results, ownTurn(name), ownTurn(unitOf(name)), pick),
    target: targets?.[name],
  })
}

/** What a load's ratios are to: what searchable values and targets cost is told beside what has them, or has none. */
const unitOf = (name: LoadName): LoadName => units[name] ?? 'sample'
const units: Partial<Record<LoadName, LoadName>> = {
  'receive-unsearched': 'receive',
  'receive-targets': 'receive',
  'postgres-receive-targets': 'postgres-receive',
}

function createCeilingRow(results: Results): Row {
  const servers = loadNames.filter((name) => name !== 'ceiling')
  const rates = servers.map((name) => compare(results, name, rateOf).value).filter((rate) => rate > 0)
  const target = { of: 'value', atLeast: Math.ceil(Math.max(0, ...rates) * CEILING_MARGIN) } as const
  return createRow({ ...createLine(results, 'ceiling', rateLine), target })
}

/** The backlog does not grow when no more waited in the second half than in the first, or hardly anything did. */
function createBacklogRows(results: Results, name: LoadName): Row[] {
  const first = compare(results, name, ({ handling }) => handling?.waitedFirst).value
  const then = compare(results, name, ({ handling }) => handling?.waitedThen)
  if (Number.isNaN(then.value)) return []
  const target = { of: 'value', atMost: Math.max(Math.ceil(first), STEADY_BACKLOG) } as const
  return [createRow({ name: '  most waiting in the second half', unit: 'entries', ...then, target })]
}

function createMemoryRows(results: Results, name: LoadName): Row[] {
  if (name === 'sample') return []
  const mostOf = (whose: Whose) => {
    const peaks = valuesOf(results, { name, whose }, ({ peakMemoryBytes }) => peakMemoryBytes)
    const most = Math.max(...peaks.filter((peak) => peak !== undefined))
    return most > 0 ? most / MEGABYTE : undefined
  }
  const value = mostOf('this')
  if (value === undefined) return []
  const target = { of: 'value', atMost: MEMORY_MB } as const
  const toBefore = divide(value, mostOf('before'))
  return [createRow({ name: '  most resident memory', value, unit: 'MB', toBefore, target })]
}
