import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Plan } from './plan.ts'

/** What every measurement is given. */
export interface BenchContext {
  readonly plan: Plan
  /** On the disk that is measured. */
  readonly scratch: string
  /** Undefined when the plan measures none. */
  readonly postgresUrl: string | undefined
  /** Tells whoever waits what is being measured. */
  readonly say: (what: string) => void
}

/** Runs the work with an empty folder of its own, and removes it. */
export async function withFolder<T>(
  { scratch }: Pick<BenchContext, 'scratch'>,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  await mkdir(scratch, { recursive: true })
  const folder = await mkdtemp(join(scratch, 'run-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The inbox's file in such a folder. */
export const inboxFile = (folder: string) => join(folder, 'inbox.db')

/** Absolute path of a module for HANDLERS. */
export const handlersPath = (name: 'noop-handlers' | 'recording-handlers') =>
  new URL(`./${name}.ts`, import.meta.url).pathname
