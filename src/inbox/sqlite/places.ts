import { existsSync, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { ReceiverError } from '../../errors.ts'

/** Older kernels stamp changes of a folder so coarsely that two within this time can look like one. */
const COARSE_STAMP_MS = 20

/**
 * Remembers which files the paths of an open database lead to, and gives a check that throws ReceiverError `store_unavailable`
 * while one leads elsewhere, or once the database was cut short. SQLite writes on to a file that was deleted, replaced or emptied, and
 * all of that is lost with the process. Its log holds what is not in it yet, and two indexes of one log corrupt it. `beside` are
 * further files that must stay. The check takes 8 µs, a commit 100 µs and more.
 */
export function rememberPlaces(file: string, beside: readonly string[] = []): () => void {
  const log = `${file}-wal`
  const remember = (path: string) => ({ path, identity: identify(look(path)) })
  const remembered = [file, `${file}-shm`, ...beside].map(remember)
  const rememberedLog = remember(log)
  let bytes = look(file)?.size ?? 0
  /** Of the folder, when its log was last looked at. */
  let changedAt: number | undefined

  /** Asked when a name in the folder changed: after a stat of the log Linux stamps the next write finer, 36 µs for each commit. */
  function isLogInPlace(): boolean {
    if (!existsSync(log)) return false
    const mtimeMs = look(dirname(file))?.mtimeMs
    if (mtimeMs !== undefined && mtimeMs === changedAt) return true
    const isInPlace = identify(look(log)) === rememberedLog.identity
    const isSettled = mtimeMs !== undefined && Math.abs(Date.now() - mtimeMs) > COARSE_STAMP_MS
    changedAt = isInPlace && isSettled ? mtimeMs : undefined
    return isInPlace
  }

  function findFault(): string | undefined {
    if (!isLogInPlace()) return `${log} was deleted, moved or replaced`
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
