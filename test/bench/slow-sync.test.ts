import { execFile } from 'node:child_process'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { makeScratch } from '../support/scratch.ts'
import { buildSlowSync } from './slow-sync.ts'

let scratch: Awaited<ReturnType<typeof makeScratch>>
beforeEach(async () => {
  scratch = await makeScratch()
})
afterEach(() => scratch.remove())

const COMMIT = `
  const db = new (require('node:sqlite').DatabaseSync)('inbox.db')
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS entry (seq INTEGER); BEGIN; INSERT INTO entry VALUES (1); COMMIT')
  console.log('committed')`

function commit(env: Readonly<Record<string, string>>): Promise<{ stdout: string; stderr: string; isDead: boolean }> {
  const { promise, resolve } = Promise.withResolvers<{ stdout: string; stderr: string; isDead: boolean }>()
  execFile(process.execPath, ['-e', COMMIT], { cwd: scratch.path, env }, (error, stdout, stderr) =>
    resolve({ stdout, stderr, isDead: error !== null }),
  )
  return promise
}

it("stands in front of the syncs of Node's SQLite", async ({ skip }) => {
  const library = await buildSlowSync(scratch.path).catch(() => undefined)
  if (library === undefined) return skip('there is no cc, or this is not Linux')
  expect(await commit({ LD_PRELOAD: library, SLOW_SYNC_US: '1' })).toMatchObject({
    stdout: 'committed\n',
    isDead: false,
  })
  // It ends a process that does not say how slow: so it was there.
  const unset = await commit({ LD_PRELOAD: library })
  expect(unset).toMatchObject({ stdout: '', isDead: true })
  expect(unset.stderr).toMatch(/slow-sync: f(data)?sync, but SLOW_SYNC_US is not set/)
})
