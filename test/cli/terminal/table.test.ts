import { describe, expect, it } from 'vitest'
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

describe('a table that is wider than the terminal', () => {
  const rows = [
    { cells: ['EVENT', 'TYPE', 'STATE', 'ATTEMPTS'], text: 'REASON' },
    { cells: ['evt_1', 'account.external_account.updated', 'dead', '20'], text: 'no bank' },
    { cells: ['evt_2', 'payout.failed', 'handled', '1'] },
  ]
  const steps = [{ leaveOut: 'ACCOUNT' }, { leaveOut: 'ATTEMPTS' }, { shorten: 'TYPE', to: 12 }] as const

  it('is not touched where there is room, however wide its text', () => {
    expect(formatTable(rows, 58, steps)).toEqual(formatTable(rows, 58))
    expect(formatTable(rows, Infinity, steps)).toEqual(formatTable(rows, Infinity))
  })

  it('goes without columns, one after the other, and only as far as needed', () => {
    expect(formatTable(rows, 57, steps)).toEqual([
      'EVENT  TYPE                              STATE',
      '    REASON',
      'evt_1  account.external_account.updated  dead',
      '    no bank',
      'evt_2  payout.failed                     handled',
    ])
  })

  it('has cells shortened in the middle, no more than needed', () => {
    expect(formatTable(rows, 36, steps).filter((line) => !line.startsWith(' '))).toEqual([
      'EVENT  TYPE                  STATE',
      'evt_1  account.e…nt.updated  dead',
      'evt_2  payout.failed         handled',
    ])
  })

  it('is wider all the same when nothing more can be given up', () => {
    expect(formatTable(rows, 10, steps).at(-1)).toBe('evt_2  payou…failed  handled')
  })
})

describe('foreign text', () => {
  it.each([
    ['two\r\n lines\u001b[31m', 'two lines [31m'],
    ['\u202egpj.exe\u2066', '\\u202egpj.exe\\u2066'],
    ['a\u200bb\u{e0041}', 'a\\u200bb\\u{e0041}'],
    ['ümläut, עברית, 😀', 'ümläut, עברית, 😀'],
  ])('stays on one line, and turns nothing: %j', (text, shown) => {
    expect(toOneLine(text)).toBe(shown)
    expect(formatTable([headerRow(['ID']), { cells: [text] }], 80)[1]).toBe(shown)
  })
})
