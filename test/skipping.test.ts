import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const folder = import.meta.dirname
const read = (file: string) => readFileSync(join(folder, file), 'utf8')

// Biome refuses it.skip, and misses it.skip.each, { skip: true }, skip() in a test, and conditions, which others may have.
it('no test on Postgres is skipped, whatever the machine', () => {
  const tests = globSync('**/*.test.ts', { cwd: folder })
  const onPostgres = tests.filter((file) => /from '[^']*postgres-|inject\('postgresUrl'\)/.test(read(file)))
  expect(onPostgres).toEqual(expect.arrayContaining(['inbox/postgres/inbox.test.ts', 'end-to-end/postgres.test.ts']))
  const files = [...onPostgres, 'inbox/inbox-contract.ts']
  expect(files.filter((file) => /\b(?:skip|skipIf|runIf|todo)\b/.test(read(file)))).toEqual([])
})
