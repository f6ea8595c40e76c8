import { parseSettings, readEnvironment } from '../../config.ts'
import { type LoadedTarget, loadTargets } from '../../targets/load.ts'

/** The targets of TARGETS. Throws as `loadTargets` does. */
export async function readTargets(): Promise<readonly LoadedTarget[]> {
  const environment = readEnvironment()
  const { targetsPath } = parseSettings(environment, ['targetsPath'])
  return (await loadTargets(targetsPath, environment)).targets
}

/** The one of that name; undefined, and said on standard error, when TARGETS has none. */
export async function findTarget(name: string): Promise<LoadedTarget | undefined> {
  const targets = await readTargets()
  const found = targets.find((target) => target.name === name)
  if (found === undefined) tellUnknown(targets)
  return found
}

export function tellUnknown(targets: readonly LoadedTarget[]): void {
  const names = targets.map((target) => target.name).join(', ')
  const why =
    names === '' ? 'there are no targets: TARGETS names no module' : `TARGETS has no such target; it has: ${names}`
  process.stderr.write(`error: ${why}\n`)
}
