import { chmodSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

const OF_OTHERS = 0o077
const WRITE_OF_OTHERS = 0o022

/**
 * Takes from others what an earlier make, or a copy, let them do with the files of an inbox: bodies of events tell of customers. The
 * folder is mended too when it holds nothing else. Gives a sentence for each that this process may not, or had better not, change.
 */
export function keepPrivate(file: string): string[] {
  const uid = process.getuid?.()
  // Windows has owners and rights of another kind.
  if (uid === undefined) return []
  const folder = dirname(file)
  const names = readdirSync(folder)
  const own = names.filter((name) => name.startsWith(basename(file)))
  const warnings = own.flatMap((name) => mend(join(folder, name), uid, 0o600))
  if (own.length === names.length) return [...warnings, ...mend(folder, uid, 0o700)]
  const { mode } = statSync(folder)
  if ((mode & WRITE_OF_OTHERS) === 0) return warnings
  return [
    ...warnings,
    `${folder} can be written to by others (${describe(mode)}), who could replace the inbox: take that from them.`,
  ]
}

function mend(path: string, uid: number, wanted: number): string[] {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined || (found.mode & OF_OTHERS) === 0) return []
  try {
    if (found.uid === uid) {
      chmodSync(path, wanted)
      return []
    }
  } catch {
    // Some file systems keep no rights: it is told as what belongs to somebody else.
  }
  return [
    `${path} is open to others (${describe(found.mode)}) and not ours to change: have its owner set ${describe(wanted)}.`,
  ]
}

const describe = (mode: number) => (mode & 0o777).toString(8)
