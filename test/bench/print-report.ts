import { styleText } from 'node:util'
import type { Machine } from './machine.ts'
import { describeTarget, type Row } from './row.ts'
import type { BenchResult } from './run-bench.ts'

const header = ['MEASURED', 'VALUE', 'UNIT', 'RATIO', 'BEFORE', 'TARGET', ''] as const
const GIGABYTE = 1e9
/** No disk syncs this fast: the folder is in memory. */
const DISK_SYNC_MS = 0.03

/** Prints machine, table and footnotes, the given ones last; coloured on a terminal only. */
export function printReport(machine: Machine, { rows, notes }: Pick<BenchResult, 'rows' | 'notes'>): void {
  const cells = rows.map(describeCells)
  const widths = header.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)))
  print(describeMachineLine(machine))
  print('')
  print(styleText('bold', join(header, widths)))
  for (const [index, row] of rows.entries()) print(paint(row, join(cells[index] ?? [], widths)))
  print('')
  for (const note of [...describeNotes(machine, rows), ...notes]) print(note)
}

function describeMachineLine({ cpu, cores, memoryBytes, node, kernel, syncMs, loadBefore }: Machine): string {
  const memory = `${Math.round(memoryBytes / GIGABYTE)} GB`
  const state = `sync of 16 KiB ${syncMs.toFixed(2)} ms (p50), load average before ${loadBefore.toFixed(1)}`
  return `${cpu}, ${cores} cores, ${memory}, Node ${node}, ${kernel}, ${state}`
}

function describeCells(row: Row): string[] {
  const factors = [row.ratio, row.toBefore].map((factor) => (factor === undefined ? '' : `${factor.toFixed(2)} ×`))
  const verdict = row.isMet === undefined ? '' : row.isMet ? 'ok' : 'short'
  return [row.name, formatValue(row.value), row.unit, ...factors, describeTarget(row), verdict]
}

function formatValue(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: Math.abs(value) < 100 ? 1 : 0 })
}

const NUMERIC = new Set([1, 3, 4])

function join(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map((cell, column) => {
    const width = widths[column] ?? 0
    return NUMERIC.has(column) ? cell.padStart(width) : cell.padEnd(width)
  })
  return padded.join('  ').trimEnd()
}

function paint({ isMet }: Row, line: string): string {
  return isMet === undefined ? line : styleText(isMet ? 'green' : 'yellow', line)
}

function describeNotes({ syncMs, postgres }: Machine, rows: readonly Row[]): string[] {
  const hasMemory = rows.some(({ unit }) => unit === 'MB')
  return [
    'Loads: 64 keep-alive connections, 3 KB payment_intent.succeeded, every id distinct and freshly signed.',
    "Values: medians of the rounds; of memory the most. Ratios: medians of each round's own.",
    "RATIO: to the docs' sample, which stores nothing; of accepting without searchable values or with a target, to plain",
    'accepting; of claims, to the one with the fewest entries waiting; of two workers, to one; of searches and looks at the',
    'console, to none; of a target beside dead ones, to being alone. BEFORE: to the checkout of --against.',
    'The receiver runs as `npm start` does, with LOG_LEVEL=error: at info it writes one line for each handled event.',
    ...(postgres === undefined ? [] : [`Postgres on the same machine: ${postgres}.`]),
    ...(hasMemory ? [] : ['No resident memory: no load on the receiver was measured, or this system has no /proc.']),
    ...(syncMs < DISK_SYNC_MS
      ? ['Syncs are too fast for a disk: the temporary folder is in memory. Set TMPDIR to one on the disk.']
      : []),
  ]
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
