import { expect, it } from 'vitest'
import { runCli } from './support/run-cli.ts'

it('has help with examples on each command', async () => {
  const [main, ...commands] = await Promise.all(
    [['--help'], ['trigger', '--help'], ['demo', '--help']].map((args) => runCli(args)),
  )
  expect(main?.stdout).toMatch(/demo.*trigger/s)
  for (const { code, stdout } of commands) {
    expect(code).toBe(0)
    expect(stdout).toContain('Examples:')
  }
})

it('suggests the command that was meant', async () => {
  expect(await runCli(['tigger'])).toMatchObject({ code: 1, stderr: expect.stringContaining('Did you mean trigger?') })
})
