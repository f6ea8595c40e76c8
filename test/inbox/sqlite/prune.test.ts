import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openSqliteFile } from '../../../src/inbox/sqlite/file.ts'
import { prepareStatements } from '../../../src/inbox/sqlite/statements.ts'
import { insert, prune, toEntryValues } from '../../../src/inbox/sqlite/work.ts'
import { newEntry } from '../../support/new-entry.ts'
import { makeScratch } from '../../support/scratch.ts'

const DAY_MS = 86_400_000

it('goes by the wall clock: the store keeps the time of one that ran ahead, and what came since has it', async () => {
  const scratch = await makeScratch()
  const file = openSqliteFile(join(scratch.path, 'inbox.db'), 'server')
  const sql = prepareStatements(file.db)
  const writingAt = (now: number) => ({ sql, owner: 'test', now, isHeld: () => false })
  const addAt = (now: number) => {
    const entry = newEntry()
    insert(writingAt(now), {
      values: toEntryValues(entry),
      body: entry.body,
      searchable: [],
      forwards: undefined,
      isToLease: false,
    })
  }
  const ahead = Date.now() + 70 * DAY_MS
  addAt(Date.now())
  addAt(ahead)
  file.db.exec(`UPDATE entry SET state = 'handled', settled_at = received_at`)
  const policy = { bodiesAfterMs: 30 * DAY_MS, entriesAfterMs: 60 * DAY_MS, limit: 10 }
  expect(prune(writingAt(ahead + 1), policy)).toEqual({ bodies: 0, entries: 0, next: null })
  file.close()
  await scratch.remove()
})
