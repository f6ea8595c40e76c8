import type { Finding } from '../../destinations/finding.ts'
import { toOneLine } from '../terminal/table.ts'

/** Tells on standard error what went wrong and what to do. */
export function writeFailure({ severity, message, mend }: Pick<Finding, 'severity' | 'message' | 'mend'>): void {
  const what = severity === 'fault' ? 'error' : 'note'
  process.stderr.write(
    `${what}: ${toOneLine(message)}${mend === undefined ? '' : `. To mend it: ${toOneLine(mend)}`}\n`,
  )
}

/** Tells on standard error what was wrong, and gives false: what a command that did nothing ends with. */
export function fail(message: string): false {
  process.stderr.write(`error: ${toOneLine(message)}\n`)
  return false
}
