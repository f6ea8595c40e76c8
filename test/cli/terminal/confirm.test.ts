import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { confirm } from '../../../src/cli/terminal/confirm.ts'

/** A terminal on which someone types this; without it, nobody is there. */
function terminal(typed: string | undefined) {
  const input = Object.assign(new PassThrough(), { isTTY: typed !== undefined })
  const output = Object.assign(new PassThrough(), { isTTY: true })
  input.end(typed)
  return { input, output }
}

it.each([
  ['y\n', true],
  ['YES\n', true],
  [' y \n', true],
  ['n\n', false],
  ['\n', false],
  ['yesterday\n', false],
  ['', false],
])('takes %j for %s', async (typed, expected) => {
  expect(await confirm('Really?', terminal(typed))).toBe(expected)
})

it('asks', async () => {
  const { input, output } = terminal('y\n')
  await confirm('Really?', { input, output })
  output.end()
  expect(Buffer.concat(await output.toArray()).toString()).toContain('Really? [y/N] ')
})

it('does not ask where there is no terminal', async () => {
  expect(await confirm('Really?', terminal(undefined))).toBeUndefined()
  const { input, output } = terminal('y\n')
  expect(await confirm('Really?', { input, output: Object.assign(output, { isTTY: false }) })).toBeUndefined()
})
