import type { Finding } from '../../destinations/finding.ts'
import { tryTarget } from '../../targets/try-target.ts'
import { readTargets } from '../targets/loaded.ts'

/** Connects to each target, and tells what is wrong with its name, its port or its certificate. */
export async function tryTargets(): Promise<Finding[]> {
  const targets = await readTargets()
  if (targets.length === 0) {
    return [{ severity: 'warning', check: 'target', message: 'there are no targets: TARGETS names no module' }]
  }
  return Promise.all(
    targets.map(async (target): Promise<Finding> => {
      const fault = await tryTarget(target)
      const message = `the target ${target.name} at ${target.url.host}`
      if (fault === undefined) return { severity: 'ok', check: 'target', message: `${message} can be reached` }
      const mend = 'check its url and ca in TARGETS, and that this machine may reach it; no proxy was asked'
      return { severity: 'fault', check: 'target', message: `${message}: ${fault}`, mend }
    }),
  )
}
