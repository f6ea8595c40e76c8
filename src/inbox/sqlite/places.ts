import { existsSync, type Stats, statSync } from 'node:fs'
import { ReceiverError } from '../../errors.ts'

/**
 * Remembers which files the paths of an open database lead to, and gives a check that throws ReceiverError `store_unavailable`
 * while one leads elsewhere, or once the database was cut short. SQLite writes on to a file that was deleted, replaced or emptied, and
 * all of that is lost with the process. Its log holds what is not in it yet, and two indexes of one log corrupt it. `beside` are
 * further files that must stay. The check takes 6 µs, a commit 100 µs and more.
 */
export function rememberPlaces(file: string, beside: readonly string[] = []): () => void {
  const log = `${file}-wal`
  const remembered = [file, `${file}-shm`, ...beside].map((path) => ({ path, identity: identify(look(path)) }))
  let bytes = look(file)?.size ?? 0

  function findFault(): string | undefined {
    // No stat of the log: Linux gives the write after one a finer time stamp, which made every commit dearer by 36 µs.
    if (!existsSync(log)) return `${log} was deleted or moved`
    for (const { path, identity } of remembered) {
      const found = look(path)
      if (identify(found) !== identity) return `${path} was deleted, moved or replaced`
      if (path !== file || found === undefined) continue
      // A database never shrinks but by a VACUUM, which nobody runs beside a server.
      if (found.size < bytes) return `${path} was cut short from ${bytes} to ${found.size} bytes`
      bytes = found.size
    }
    return undefined
  }

  return function assertInPlace() {
    const fault = findFault()
    if (fault === undefined) return
    throw new ReceiverError(
      'store_unavailable',
      `${fault} while it was in use. Put the same file back, or restart the server to work with what is there now.`,
    )
  }
}

function look(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false })
}

function identify(found: Stats | undefined): string | undefined {
  return found && `${found.dev} ${found.ino}`
}
