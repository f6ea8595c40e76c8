import { styleText } from 'node:util'
import { showHidden } from '../../operations/show-hidden.ts'

/** A line of a table: cells that line up, and a text that stands last and takes the room that is left. */
export interface TableRow {
  readonly cells: readonly string[]
  /** Shortened to the width; empty when there is nothing to tell. */
  readonly text?: string
  /** Colours the cells, and the text of the first row. */
  readonly paint?: (cells: string) => string
}

/** One thing to give up in a table that is wider than the terminal, of the column with that title. */
export type Narrowing =
  | { readonly leaveOut: string }
  /** Its cells lose their middle as far as needed, down to this many characters. */
  | { readonly shorten: string; readonly to: number }

const GAP = '  '
const INDENT = '    '
/** With less room than this, the text gets a line of its own. */
const MIN_TEXT_WIDTH = 40

/** The first row of a table, bold: titles of the cells, and of the text where there is one. */
export function headerRow(cells: readonly string[], text = ''): TableRow {
  return { cells, text, paint: (line) => styleText('bold', line) }
}

/** Columns of the terminal that standard output is; through a pipe there is no end, so that grep finds all. */
export function terminalWidth(): number {
  return process.stdout.columns ?? Infinity
}

/**
 * Lines of a table, whose first row has the titles: at most `width` columns wide, unless the cells are wider after all steps, which
 * are taken in their order.
 */
export function formatTable(rows: readonly TableRow[], width: number, steps: readonly Narrowing[] = []): string[] {
  const whole = rows.map((row) => row.cells.map(toOneLine))
  const cells = steps.reduce((wider, step) => narrow(wider, width, step), whole)
  const widths = widthsOf(cells)
  const room = width - sumOf(widths) - GAP.length
  return rows.flatMap(({ text = '', paint = (plain) => plain }, index) => {
    const line = (cells[index] ?? []).map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(GAP)
    if (text === '') return [paint(line.trimEnd())]
    const isBeside = room >= MIN_TEXT_WIDTH
    const short = shorten(toOneLine(text), isBeside ? room : width - INDENT.length)
    const told = index === 0 ? paint(short) : short
    return isBeside ? [`${paint(line)}${GAP}${told}`] : [paint(line.trimEnd()), `${INDENT}${told}`]
  })
}

function narrow(cells: readonly string[][], width: number, step: Narrowing): string[][] {
  const excess = sumOf(widthsOf(cells)) - width
  if (excess <= 0) return [...cells]
  const title = 'leaveOut' in step ? step.leaveOut : step.shorten
  const column = cells[0]?.indexOf(title) ?? -1
  if ('leaveOut' in step) return cells.map((row) => row.filter((_, index) => index !== column))
  const most = Math.max(step.to, (widthsOf(cells)[column] ?? 0) - excess)
  return cells.map((row) => row.map((cell, index) => (index === column ? shortenMiddle(cell, most) : cell)))
}

function widthsOf(cells: readonly string[][]): number[] {
  const columns = Math.max(0, ...cells.map((row) => row.length))
  return Array.from({ length: columns }, (_, column) =>
    cells.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0),
  )
}

/** Columns that the cells take, with what is between them. */
function sumOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length)
}

/** Foreign text on one line, with nothing in it that could break the table, steer the terminal or turn the direction of what follows. */
export function toOneLine(text: string): string {
  return showHidden(text.replace(/[\s\p{Cc}]+/gu, ' ').trim())
}

/** A type's end tells what happened, and an id's end which one it is. */
function shortenMiddle(text: string, width: number): string {
  if (text.length <= width) return text
  const kept = width - 1
  return `${text.slice(0, Math.floor(kept / 2))}…${text.slice(-Math.ceil(kept / 2))}`
}

function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}
