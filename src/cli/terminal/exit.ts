import { ReceiverError } from '../../errors.ts'

/**
 * Runs a command that loads HANDLERS, and ends the process after it: what such a module opened when it was loaded would keep it
 * alive. Ends with 1 when it gave false; an expected failure is told here, since the process would not end after it either.
 */
export async function runToExit(run: () => Promise<boolean>): Promise<void> {
  let isFine = false
  try {
    isFine = await run()
  } catch (error) {
    if (!(error instanceof ReceiverError)) throw error
    process.stderr.write(`error: ${error.message}\n`)
  }
  process.stdout.write('', () => process.exit(isFine ? 0 : 1))
}
