import { Client } from 'pg'
import { describe, it, vi } from 'vitest'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import { openPostgresInbox } from '../../../src/inbox/postgres/inbox.ts'
import { planPostgresSchema } from '../../support/postgres-schema.ts'
import { runModel } from './run-model.ts'
import type { StoreUnderModel } from './store.ts'

/** By hand it may be any number of sequences. */
const LONGEST_MS = 3_600_000
/** So that what was deleted does not slow the store down. */
const VACUUM_EVERY = 50
/** A process looks for lost leases that often at most; here, at each claim. */
const BETWEEN_LOOKS_MS = 2_000

async function openStore(): Promise<StoreUnderModel> {
  const schema = planPostgresSchema()
  const open = () => openPostgresInbox(schema.url, 'server')
  const working: [Inbox, Inbox] = [await open(), await open()]
  const client = new Client({ connectionString: schema.url })
  await client.connect()
  const { rows: instants } = await client.query(
    `SELECT table_name, column_name AS name FROM information_schema.columns
     WHERE table_schema = $1 AND table_name IN ('entry', 'forward') AND data_type = 'timestamp with time zone'`,
    [schema.name],
  )
  const shift = (table: string) =>
    instants.flatMap(({ table_name, name }) =>
      table_name === table ? [`${name} = ${name} - $1 * interval '1 millisecond'`] : [],
    )
  const measure = performance.now.bind(performance)
  let looks = 0
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
    looks += 1
    return measure() + looks * BETWEEN_LOOKS_MS
  })
  let emptied = 0

  async function findOwner(worker: 0 | 1): Promise<string> {
    await working[worker].takeTurn(`of ${worker}`, 0)
    const { rows } = await client.query('SELECT owner FROM note WHERE name = $1', [`turn of ${worker}`])
    return rows[0]?.owner
  }
  const owners = [await findOwner(0), await findOwner(1)]

  return {
    isShared: true,
    inboxes: () => working,
    /** All that is written down goes the other way instead, which is the same to the store. */
    async step(ms) {
      if (ms === 0) return
      for (const table of ['entry', 'forward'])
        await client.query(`UPDATE ${table} SET ${shift(table).join(', ')}`, [ms])
    },
    /** What it ran is another's, who never comes back; in the place of the one that is lost is itself, with nothing to do. */
    async loseProcess(worker) {
      for (const table of ['entry', 'forward'])
        await client.query(`UPDATE ${table} SET owner = 'lost' WHERE owner = $1`, [owners[worker]])
    },
    async empty() {
      await client.query(
        'DELETE FROM forward_attempt; DELETE FROM forward; DELETE FROM attempt; DELETE FROM payload; DELETE FROM entry',
      )
      emptied += 1
      if (emptied % VACUUM_EVERY === 0) await client.query('VACUUM forward_attempt, forward, attempt, payload, entry')
    },
    async [Symbol.asyncDispose]() {
      clock.mockRestore()
      await client.end()
      await Promise.all(working.map((inbox) => inbox.close()))
      await schema.remove()
    },
  }
}

describe('the Postgres store beside the reference', () => {
  it('does what that says, in whatever order things happen', { timeout: LONGEST_MS }, async () => {
    await using store = await openStore()
    await runModel(store, 400)
  })
})
