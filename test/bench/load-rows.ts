import type { LoadMeasurement, LoadName } from './measure-loads.ts'
import { createRow, type Row } from './row.ts'
import { median } from './statistics.ts'

type Results = ReadonlyMap<LoadName, readonly LoadMeasurement[]>

const MEGABYTE = 1e6
const MEMORY_MB = 200
/** Of the fastest server measured: the generator must be able to send that much more. */
const CEILING_MARGIN = 1.2
/** Entries that may wait while the whole route keeps up: what arrives within a few commits. */
const STEADY_BACKLOG = 1_000

const titles: Readonly<Record<LoadName, string>> = {
  ceiling: "generator's ceiling: raw node:http",
  sample: "docs' sample",
  receive: 'accepting only, durable',
  'postgres-receive': 'accepting only, on Postgres',
  whole: 'whole route, no-op handler',
}

const rateTargets: Partial<Record<LoadName, number>> = { receive: 1, 'postgres-receive': 0.8, whole: 0.6 }
const p99Targets: Partial<Record<LoadName, number>> = { receive: 1.3, 'postgres-receive': 1.5 }

/** Rows of the loads, each the median of its rounds, compared with the sample's. */
export function createLoadRows(results: Results): Row[] {
  return [...results.keys()].flatMap((name) => [
    createRateRow(results, name),
    ...createLatencyRows(results, name),
    ...createBacklogRows(results, name),
    ...createMemoryRows(results, name),
  ])
}

/** On the whole route only what was handled in the time counts: answers alone would let the backlog grow. */
const rateOf = ({ perSecond, handling }: LoadMeasurement) => Math.min(perSecond, handling?.perSecond ?? Infinity)

function createRateRow(results: Results, name: LoadName): Row {
  const value = medianOf(results, name, rateOf) ?? Number.NaN
  const row = { name: titles[name], value, unit: '/s', ratio: divide(value, ofSample(results, 'perSecond')) }
  const atLeast = rateTargets[name]
  if (atLeast !== undefined) return createRow({ ...row, target: { of: 'ratio', atLeast } })
  if (name !== 'ceiling') return createRow(row)
  const servers = [...results.keys()].filter((other) => other !== 'ceiling')
  const fastest = Math.max(0, ...servers.map((other) => medianOf(results, other, rateOf) ?? 0))
  return createRow({ ...row, target: { of: 'value', atLeast: Math.ceil(fastest * CEILING_MARGIN) } })
}

function createLatencyRows(results: Results, name: LoadName): Row[] {
  if (name === 'ceiling') return []
  return (['p50Ms', 'p99Ms'] as const).map((key) => {
    const value = medianOf(results, name, (measured) => measured[key]) ?? Number.NaN
    const row = { name: `  ${key.slice(0, 3)}`, value, unit: 'ms', ratio: divide(value, ofSample(results, key)) }
    const atMost = key === 'p99Ms' ? p99Targets[name] : undefined
    return createRow(atMost === undefined ? row : { ...row, target: { of: 'ratio', atMost } })
  })
}

/** The backlog does not grow when no more waited in the second half than in the first, or hardly anything did. */
function createBacklogRows(results: Results, name: LoadName): Row[] {
  const answered = medianOf(results, name, ({ perSecond, handling }) => handling && perSecond)
  const first = medianOf(results, name, ({ handling }) => handling?.waitedFirst)
  const then = medianOf(results, name, ({ handling }) => handling?.waitedThen)
  if (answered === undefined || first === undefined || then === undefined) return []
  const target = { of: 'value', atMost: Math.max(Math.ceil(first), STEADY_BACKLOG) } as const
  return [
    createRow({
      name: '  answered',
      value: answered,
      unit: '/s',
      ratio: divide(answered, ofSample(results, 'perSecond')),
    }),
    createRow({ name: '  most waiting in the second half', value: then, unit: 'entries', target }),
  ]
}

function createMemoryRows(results: Results, name: LoadName): Row[] {
  if (name === 'ceiling' || name === 'sample') return []
  const peaks = (results.get(name) ?? []).flatMap(({ peakMemoryBytes }) => peakMemoryBytes ?? [])
  if (peaks.length === 0) return []
  const target = { of: 'value', atMost: MEMORY_MB } as const
  return [createRow({ name: '  most resident memory', value: Math.max(...peaks) / MEGABYTE, unit: 'MB', target })]
}

function ofSample(results: Results, key: 'perSecond' | 'p50Ms' | 'p99Ms'): number | undefined {
  return medianOf(results, 'sample', (measured) => measured[key])
}

function medianOf(
  results: Results,
  name: LoadName,
  pick: (measured: LoadMeasurement) => number | undefined,
): number | undefined {
  const values = (results.get(name) ?? []).flatMap((measured) => pick(measured) ?? [])
  return values.length === 0 ? undefined : median(values)
}

function divide(value: number, unit: number | undefined): number | undefined {
  return unit === undefined ? undefined : value / unit
}
