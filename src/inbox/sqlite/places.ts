import { existsSync, statSync } from 'node:fs'
import { ReceiverError } from '../../errors.ts'

/**
 * Remembers which files the paths of an open database lead to, and gives a check that throws ReceiverError `store_unavailable`
 * while one leads elsewhere. SQLite writes on to a file that was deleted or replaced, and all of that is lost with the process.
 * Its log holds what is not in it yet, and two indexes of one log corrupt it. The check takes 5 µs, a commit 100 µs and more.
 */
export function rememberPlaces(file: string): () => void {
  const log = `${file}-wal`
  const remembered = [file, `${file}-shm`].map((path) => ({ path, identity: identify(path) }))

  return function assertInPlace() {
    // No stat of the log: Linux gives the write after one a finer time stamp, which made every commit dearer by 36 µs.
    const lost = existsSync(log) ? remembered.find(({ path, identity }) => identify(path) !== identity)?.path : log
    if (lost === undefined) return
    throw new ReceiverError(
      'store_unavailable',
      `${lost} was deleted, moved or replaced while it was in use. Put the same file back, or restart the server to work with what is there now.`,
    )
  }
}

function identify(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  return found && `${found.dev} ${found.ino}`
}
