import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { demoCommand } from '../../src/cli/demo/command.ts'
import { destinationCommand } from '../../src/cli/destination/command.ts'
import { doctorCommand } from '../../src/cli/doctor/command.ts'
import { eventsCommand } from '../../src/cli/events/command.ts'
import { reconcileCommand } from '../../src/cli/reconcile/command.ts'
import { targetsCommand } from '../../src/cli/targets/command.ts'
import { triggerCommand } from '../../src/cli/trigger/command.ts'

const families = [
  demoCommand(),
  triggerCommand(),
  eventsCommand(),
  reconcileCommand(),
  doctorCommand(),
  destinationCommand(),
  targetsCommand(),
]
const all = families.flatMap((family) => [
  { name: family.name(), command: family },
  ...family.commands.map((command) => ({ name: `${family.name()} ${command.name()}`, command })),
])

/** As on a terminal of 80 columns. */
function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({
    getOutHelpWidth: () => 80,
    writeOut(written) {
      text += written
    },
  })
  command.outputHelp()
  return text
}

describe.each(all)('the help of $name', ({ name, command }) => {
  it('fits a terminal of 80 columns', () => {
    expect(
      helpOf(command)
        .split('\n')
        .filter((line) => line.length > 80),
    ).toEqual([])
  })

  it('has examples of its own', () => {
    const [, examples = ''] = helpOf(command).split('\nExamples:\n')
    expect(examples).toMatch(new RegExp(`^  npm run (--silent )?${name.replace(' ', ' -- ')}\\b`, 'm'))
  })

  it('marks the options that have to be given', () => {
    for (const { mandatory, description } of command.options) {
      expect(description.endsWith('(required)'), description).toBe(mandatory)
    }
  })
})
