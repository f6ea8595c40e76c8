import { expect, it } from 'vitest'
import { formatTable, headerRow, toOneLine } from '../../../src/cli/terminal/table.ts'

const header = { cells: ['EVENT', 'STATE'], text: 'REASON' }

it('lines the cells up, and leaves no space behind the last', () => {
  const rows = [header, { cells: ['evt_1', 'handled'] }, { cells: ['evt_long', 'dead'], text: 'no such customer' }]
  expect(formatTable(rows, Infinity)).toEqual([
    'EVENT     STATE    REASON',
    'evt_1     handled',
    'evt_long  dead     no such customer',
  ])
})

it('shortens the text to the width', () => {
  const lines = formatTable([header, { cells: ['evt_1', 'dead'], text: 'x'.repeat(100) }], 60)
  expect(lines).toEqual(['EVENT  STATE  REASON', `evt_1  dead   ${'x'.repeat(45)}…`])
  expect(lines[1]).toHaveLength(60)
})

it('gives the text a line of its own where there is no room beside the cells', () => {
  const rows = [header, { cells: ['evt_1', 'dead'], text: 'x'.repeat(50) }, { cells: ['evt_2', 'handled'] }]
  expect(formatTable(rows, 40)).toEqual([
    'EVENT  STATE',
    '    REASON',
    'evt_1  dead',
    `    ${'x'.repeat(35)}…`,
    'evt_2  handled',
  ])
})

it('paints the cells and not the text, without a change to how they line up', () => {
  const rows = [header, { cells: ['evt_1', 'dead'], text: 'why', paint: (cells: string) => `<${cells}>` }]
  expect(formatTable(rows, 80)[1]).toBe('<evt_1  dead >  why')
})

it('paints the whole header', () => {
  const header = { ...headerRow(['EVENT', 'STATE'], 'REASON'), paint: (text: string) => `<${text}>` }
  expect(formatTable([header], 80)).toEqual(['<EVENT  STATE>  <REASON>'])
})

it('keeps line breaks and control characters of foreign text off the terminal', () => {
  expect(toOneLine(' a\n\tb\u001b[31mc\u0007\u009b1m ')).toBe('a b [31mc 1m')
  const rows = [header, { cells: ['evt\n1', 'dead'], text: 'one\ntwo' }]
  expect(formatTable(rows, 80)[1]).toBe('evt 1  dead   one two')
})
