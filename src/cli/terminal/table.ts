import { styleText } from 'node:util'

/** A line of a table: cells that line up, and a text that stands last and takes the room that is left. */
export interface TableRow {
  readonly cells: readonly string[]
  /** Shortened to the width; empty when there is nothing to tell. */
  readonly text?: string
  /** Colours the cells, and the text of the first row. */
  readonly paint?: (cells: string) => string
}

const GAP = '  '
const INDENT = '    '
/** With less room than this, the text gets a line of its own. */
const MIN_TEXT_WIDTH = 40

/** The first row of a table, bold: titles of the cells, and of the text where there is one. */
export function headerRow(cells: readonly string[], text = ''): TableRow {
  return { cells, text, paint: (line) => styleText('bold', line) }
}

/** Lines of a table, at most `width` columns wide unless the cells alone are wider. */
export function formatTable(rows: readonly TableRow[], width: number): string[] {
  const cells = rows.map((row) => row.cells.map(toOneLine))
  const columns = Math.max(0, ...cells.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, column) =>
    cells.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0),
  )
  const room = width - widths.reduce((sum, cell) => sum + cell + GAP.length, 0)
  return rows.flatMap(({ text = '', paint = (plain) => plain }, index) => {
    const line = (cells[index] ?? []).map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(GAP)
    if (text === '') return [paint(line.trimEnd())]
    const isBeside = room >= MIN_TEXT_WIDTH
    const short = shorten(toOneLine(text), isBeside ? room : width - INDENT.length)
    const told = index === 0 ? paint(short) : short
    return isBeside ? [`${paint(line)}${GAP}${told}`] : [paint(line.trimEnd()), `${INDENT}${told}`]
  })
}

/** Foreign text on one line, without control characters: they could break the table or steer the terminal. */
export function toOneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim()
}

function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}
