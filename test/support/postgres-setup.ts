import type { TestProject } from 'vitest/node'
import { usePostgres } from './postgres-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the Postgres that the tests use. */
    postgresUrl: string
  }
}

/** Once for all tests. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, remove } = await usePostgres()
  project.provide('postgresUrl', url)
  return remove
}
