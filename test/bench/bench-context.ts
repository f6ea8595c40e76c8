import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Checkouts } from './checkout.ts'
import type { Plan } from './plan.ts'

/** What every measurement is given. */
export interface BenchContext {
  readonly plan: Plan
  readonly checkouts: Checkouts
  /** On the disk that is measured. */
  readonly scratch: string
  /** Undefined when the plan measures none. */
  readonly postgresUrl: string | undefined
  /** Library that slows syncs down; undefined when the plan measures none. */
  readonly slowSyncLibrary: string | undefined
  /** Tells whoever waits what is being measured. */
  readonly say: (what: string) => void
}

export interface Folder extends AsyncDisposable {
  readonly path: string
}

/** An empty folder, which goes with all that is in it. */
export async function makeFolder({ scratch }: Pick<BenchContext, 'scratch'>): Promise<Folder> {
  await mkdir(scratch, { recursive: true })
  const path = await mkdtemp(join(scratch, 'run-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** The inbox's file in such a folder. */
export const inboxFile = (folder: string) => join(folder, 'inbox.db')

/** Absolute path of a module for HANDLERS. */
export const handlersPath = (name: 'noop-handlers' | 'recording-handlers') =>
  new URL(`./${name}.ts`, import.meta.url).pathname
