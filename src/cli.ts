import { Command } from 'commander'
import { demoCommand } from './cli/demo/command.ts'
import { destinationCommand } from './cli/destination/command.ts'
import { doctorCommand } from './cli/doctor/command.ts'
import { eventsCommand } from './cli/events/command.ts'
import { reconcileCommand } from './cli/reconcile/command.ts'
import { targetsCommand } from './cli/targets/command.ts'
import { triggerCommand } from './cli/trigger/command.ts'
import { ReceiverError } from './errors.ts'

const program = new Command('stripe-webhook-receiver')
  .description('Commands beside the server, which `npm start` runs. Each has --help.')
  .showHelpAfterError('(--help tells more)')

for (const command of [
  demoCommand(),
  triggerCommand(),
  eventsCommand(),
  reconcileCommand(),
  targetsCommand(),
  doctorCommand(),
  destinationCommand(),
])
  program.addCommand(command.copyInheritedSettings(program))

// `| head` closes the pipe early, which is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
  throw error
})

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = 1
  process.stderr.write(`${await describeFailure(error)}\n`)
}

async function describeFailure(error: unknown): Promise<string> {
  if (error instanceof ReceiverError) return `error: ${error.message}`
  // Loaded only now: log.ts brings pino, and --help must be instant.
  const { describeError } = await import('./log.ts')
  const { message, stack } = describeError(error)
  return stack ?? message
}
