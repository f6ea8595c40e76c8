import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { prepareForwardQueries } from '../../../src/inbox/sqlite/forward-queries.ts'
import { openSqliteInbox } from '../../../src/inbox/sqlite/inbox.ts'
import { makeScratch } from '../../support/scratch.ts'

it('what is read of forwards goes by an index, and no page of them is sorted', async () => {
  const scratch = await makeScratch()
  const path = join(scratch.path, 'inbox.db')
  await openSqliteInbox(path, 'server').then((inbox) => inbox.close())
  const db = new DatabaseSync(path)
  const prepared: string[] = []
  prepareForwardQueries({
    prepare(sql: string) {
      prepared.push(sql)
      return db.prepare(sql)
    },
    // Nothing else of a database is asked for.
  } as unknown as DatabaseSync)
  const planOf = (part: string): string => {
    const [sql, ...others] = prepared.filter((each) => each.includes(part))
    if (sql === undefined || others.length > 0) throw new Error(`one statement should have ${part}`)
    return db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => detail)
      .join('\n')
  }
  const list = planOf('LIMIT :limit')
  expect(list).toMatch(/^SEARCH forward USING PRIMARY KEY \(seq>\? AND seq<\?\)/)
  expect(list).not.toContain('TEMP B-TREE')
  expect(planOf('GROUP BY state, reason')).toContain('USING INDEX forward_failing (target=?)')
  const last = planOf('WITH failed')
  expect(last).toContain('USING INDEX forward_attempt_failed (target=?)')
  expect(last).toContain('SEARCH forward USING PRIMARY KEY (seq>?)')
  db.close()
  await scratch.remove()
})
