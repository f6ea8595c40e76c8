import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { BenchContext } from './bench-context.ts'
import { readMappedFiles } from './proc.ts'
import type { ServerProcess } from './server-process.ts'

const SOURCE = fileURLToPath(new URL('./slow-sync.c', import.meta.url))
/** As with an ordinary disk of a cloud. */
export const SLOW_SYNC_MS = 2

/** Builds the library that slows syncs down, and gives its path. Rejects where that cannot be: not on Linux, or no `cc`. */
export async function buildSlowSync(folder: string): Promise<string> {
  if (process.platform !== 'linux') throw new Error('needs Linux')
  const library = join(folder, 'slow-sync.so')
  await promisify(execFile)('cc', ['-shared', '-fPIC', '-O2', '-o', library, SOURCE, '-ldl'])
  return library
}

/** The environment in which a server's syncs are slow, and what makes sure of it, since the loader only warns of a library it cannot use. */
export function slowSyncs({ slowSyncLibrary: library }: BenchContext) {
  if (library === undefined) throw new Error('the plan needs slow syncs, and no library was built')
  return {
    env: { LD_PRELOAD: library, SLOW_SYNC_US: String(SLOW_SYNC_MS * 1_000) },
    check({ pid }: ServerProcess): void {
      if (!readMappedFiles(pid).includes(library)) throw new Error(`${library} was not loaded into the server`)
    },
  }
}
