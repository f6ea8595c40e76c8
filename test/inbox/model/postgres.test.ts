import { Client } from 'pg'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import { openPostgresInbox } from '../../../src/inbox/postgres/inbox.ts'
import { planPostgresSchema } from '../../support/postgres-schema.ts'
import { describeModel } from './describe-model.ts'

/** A process that takes the place of a lost one is there already: the one that was lost for longest. */
const SPARE_PROCESSES = 4
/** So that what was deleted does not slow the store down. */
const VACUUM_EVERY = 50

describeModel('the Postgres store', 400, async () => {
  const schema = planPostgresSchema()
  const open = () => openPostgresInbox(schema.url, 'server')
  const working: [Inbox, Inbox] = [await open(), await open()]
  const spare = await Promise.all(Array.from({ length: SPARE_PROCESSES }, open))
  const client = new Client({ connectionString: schema.url })
  await client.connect()
  const { rows: instants } = await client.query(
    `SELECT column_name AS name FROM information_schema.columns
     WHERE table_schema = $1 AND table_name = 'entry' AND data_type = 'timestamp with time zone'`,
    [schema.name],
  )
  const shift = instants.map(({ name }) => `${name} = ${name} - $1 * interval '1 millisecond'`)
  let emptied = 0
  return {
    isShared: true,
    tickMs: 0,
    inboxes: () => working,
    async now() {
      const { rows } = await client.query('SELECT extract(epoch FROM now()) * 1000 AS now')
      return Number(rows[0]?.now)
    },
    /** All that is written down goes the other way instead, which is the same to the store. */
    async step(ms) {
      if (ms !== 0) await client.query(`UPDATE entry SET ${shift.join(', ')}`, [ms])
    },
    async lose(worker) {
      const next = spare.shift()
      if (next !== undefined) spare.push(...working.splice(worker, 1, next))
    },
    async empty() {
      await client.query('DELETE FROM attempt; DELETE FROM payload; DELETE FROM entry')
      emptied += 1
      if (emptied % VACUUM_EVERY === 0) await client.query('VACUUM attempt, payload, entry')
    },
    async [Symbol.asyncDispose]() {
      await client.end()
      await Promise.all([...working, ...spare].map((inbox) => inbox.close()))
      await schema.remove()
    },
  }
})
