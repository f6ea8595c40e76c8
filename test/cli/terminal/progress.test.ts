import { expect, it } from 'vitest'
import { createProgress } from '../../../src/cli/terminal/progress.ts'
import { formatDuration } from '../../../src/operations/duration.ts'

function record(isTTY: boolean): { written: string[]; stream: { isTTY: boolean; write(text: string): void } } {
  const written: string[] = []
  return { written, stream: { isTTY, write: (text) => void written.push(text) } }
}

it('rewrites one line on a terminal and takes it off at the end', () => {
  const { written, stream } = record(true)
  const progress = createProgress(stream, (count) => `${count} done`)
  for (const count of [200, 400]) progress.update(count)
  progress.end()
  expect(written).toEqual(['\r\u001b[K200 done', '\r\u001b[K400 done', '\r\u001b[K'])
})

it('writes a line for each further thousand elsewhere', () => {
  const { written, stream } = record(false)
  const progress = createProgress(stream, (count) => `${count} done`)
  for (const count of [200, 999, 1_100, 1_900, 2_000, 5_000]) progress.update(count)
  progress.end()
  expect(written).toEqual(['1100 done\n', '2000 done\n', '5000 done\n'])
})

it.each([
  [-5, '0 ms'],
  [999, '999 ms'],
  [1_250, '1.2 s'],
  [9_999, '9.9 s'],
  [90_000, '90 s'],
  [180_000, '3 min'],
  [47 * 3_600_000, '47 h'],
  [12 * 86_400_000, '12 d'],
])('tells %i milliseconds as %s', (milliseconds, expected) => {
  expect(formatDuration(milliseconds)).toBe(expected)
})
