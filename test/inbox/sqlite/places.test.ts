import { mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { rememberPlaces } from '../../../src/inbox/sqlite/places.ts'
import { makeScratch } from '../../support/scratch.ts'

let scratch: Awaited<ReturnType<typeof makeScratch>>
beforeEach(async () => {
  scratch = await makeScratch()
})
afterEach(() => scratch.remove())

it('stays at its refusal once the log was replaced, however long ago the folder changed', () => {
  const folder = join(scratch.path, 'data')
  const file = join(folder, 'inbox.db')
  mkdirSync(folder)
  for (const path of [file, `${file}-wal`, `${file}-shm`]) writeFileSync(path, '')
  const assertInPlace = rememberPlaces(file)
  assertInPlace()
  // Made while the old one is there, so that it has another number.
  writeFileSync(join(folder, 'made-anew'), '')
  renameSync(join(folder, 'made-anew'), `${file}-wal`)
  const longAgo = new Date(Date.now() - 3_600_000)
  utimesSync(folder, longAgo, longAgo)
  for (let look = 0; look < 3; look += 1) expect(assertInPlace).toThrow(/-wal was deleted, moved or replaced/)
})
