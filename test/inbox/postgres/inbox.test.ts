import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import { openPostgresInbox } from '../../../src/inbox/postgres/inbox.ts'
import { sql } from '../../../src/inbox/postgres/statements.ts'
import { eventually } from '../../support/eventually.ts'
import { newEntry } from '../../support/new-entry.ts'
import { type PostgresSchema, planPostgresSchema } from '../../support/postgres-schema.ts'
import { makeScratch } from '../../support/scratch.ts'
import { describeForwards } from '../forwards-contract.ts'
import { describeInbox, type StoreUnderTest } from '../inbox-contract.ts'

const run = promisify(execFile)
const DAY_MS = 86_400_000

const openStore = async (): Promise<StoreUnderTest> => {
  const schema = planPostgresSchema()
  let inbox = await openPostgresInbox(schema.url, 'server')
  return {
    inbox,
    async reopen() {
      await inbox.close()
      inbox = await openPostgresInbox(schema.url, 'server')
      return inbox
    },
    async loseProcess() {
      await inbox.close()
      for (const table of ['entry', 'forward'])
        await schema.query(`UPDATE ${table} SET lease_until = now() - interval '1 second' WHERE state = 'running'`)
      inbox = await openPostgresInbox(schema.url, 'server')
      return inbox
    },
    async age(ms, eventId) {
      await schema.query(
        `UPDATE entry SET received_at = received_at - older.by, due_at = due_at - older.by, settled_at = settled_at - older.by
         FROM (SELECT $1 * interval '1 millisecond' AS by) AS older WHERE $2::text IS NULL OR event_id = $2`,
        [ms, eventId ?? null],
      )
      for (const table of ['figures', 'action'])
        await schema.query(`UPDATE ${table} SET at = at - $1 * interval '1 millisecond'`, [ms])
    },
    async leaveGap(entries) {
      const newest = '(SELECT max(seq) FROM entry)'
      await schema.query(`UPDATE payload SET seq = seq + $1 WHERE seq = ${newest}`, [entries])
      await schema.query(`UPDATE entry SET seq = seq + $1 WHERE seq = ${newest}`, [entries])
      await schema.query(`SELECT setval('entry_seq_seq', ${newest})`)
    },
    async remove() {
      await inbox.close()
      await schema.remove()
    },
  }
}
describeInbox('the Postgres store', openStore)
describeForwards('the Postgres store', openStore)

describe('the Postgres store', () => {
  let schema: PostgresSchema
  let inbox: Inbox
  beforeEach(async () => {
    schema = planPostgresSchema()
    inbox = await openPostgresInbox(schema.url, 'server')
  })
  afterEach(async () => {
    vi.useRealTimers()
    await inbox.close()
    await schema.remove()
  })

  async function claimOne(from = inbox) {
    const [lease] = await from.claim({ limit: 1, leaseMs: 60_000 })
    if (lease === undefined) throw new Error('nothing was due')
    return lease
  }

  it('leases again what another process did not settle within its lease, as the next attempt', async () => {
    const other = await openPostgresInbox(schema.url, 'server')
    const entry = newEntry()
    await inbox.add(entry)
    const [lost] = await inbox.claim({ limit: 1, leaseMs: 1 })
    if (lost === undefined) throw new Error('nothing was due')
    const [again] = await eventually('the lease to run out', async () => {
      const leases = await other.claim({ limit: 1, leaseMs: 60_000 })
      return leases.length > 0 && leases
    })
    expect(again?.attempt).toBe(2)
    expect(await inbox.settle(lost, { state: 'handled' })).toBe(false)
    expect((await inbox.get(entry.eventId))?.entry.state).toBe('running')
    expect((await inbox.get(entry.eventId))?.attempts).toMatchObject([
      { number: 1, outcome: 'lost', error: expect.any(String) },
    ])
    await other.close()
  })

  it('never takes its own leases for lost: a process that lives knows what it runs', async () => {
    await inbox.add(newEntry())
    const lease = await claimOne()
    await schema.query(`UPDATE entry SET lease_until = now() - interval '1 hour'`)
    expect(await inbox.claim({ limit: 1, leaseMs: 1 })).toEqual([])
    expect(await inbox.settle(lease, { state: 'handled' })).toBe(true)
  })

  it('is shared by processes: each sees what the others stored, and settles its own leases only', async () => {
    const other = await openPostgresInbox(schema.url, 'server')
    const entry = newEntry()
    await inbox.add(entry)
    expect(await other.add(entry)).toBe('duplicate')
    const lease = await claimOne(other)
    expect(await inbox.claim({ limit: 1, leaseMs: 60_000 })).toEqual([])
    expect(await inbox.settle(lease, { state: 'handled' })).toBe(false)
    expect(await other.settle(lease, { state: 'handled' })).toBe(true)
    await other.close()
  })

  it('lets an entry that lost many attempts wait, and one that lost a few run again at once', async () => {
    for (const [attempts, isDue] of [
      [2, true],
      [20, false],
    ] as const) {
      const entry = newEntry()
      await inbox.add(entry)
      await claimOne()
      await schema.query(
        `INSERT INTO attempt (seq, replay, number, started_at, ended_at, outcome)
         SELECT seq, 0, number, now(), now(), 'lost' FROM entry, generate_series(1, $1 - 1) AS number WHERE event_id = $2`,
        [attempts, entry.eventId],
      )
      await schema.query('UPDATE entry SET attempts = $1, lease_until = now() WHERE event_id = $2', [
        attempts,
        entry.eventId,
      ])
      const other = await openPostgresInbox(schema.url, 'server')
      const leases = await other.claim({ limit: 1, leaseMs: 60_000 })
      expect(leases.map(({ attempt }) => attempt)).toEqual(isDue ? [attempts + 1] : [])
      expect((await other.get(entry.eventId))?.attempts).toHaveLength(attempts)
      await other.close()
    }
  })

  it('leaves the leases of others alone when a process starts', async () => {
    await inbox.add(newEntry())
    const lease = await claimOne()
    const other = await openPostgresInbox(schema.url, 'server')
    expect(await other.claim({ limit: 1, leaseMs: 60_000 })).toEqual([])
    expect(await inbox.settle(lease, { state: 'handled' })).toBe(true)
    await other.close()
  })

  it('tells an add that shares its transaction with the first of its id that it is a duplicate', async () => {
    const entries = [newEntry(), newEntry()]
    const results = await Promise.all([...entries, ...entries].map((entry) => inbox.add(entry)))
    expect(results).toEqual(['added', 'added', 'duplicate', 'duplicate'])
  })

  it('never waits in a circle with a process that adds the same ids', async () => {
    const [a, z] = [newEntry({ eventId: 'evt_a' }), newEntry({ eventId: 'evt_z' })]
    const other = new Client({ connectionString: schema.url })
    await other.connect()
    // It would be the one that gives up.
    await other.query("SET deadlock_timeout = '20ms'; BEGIN")
    const insert = (eventId: string) =>
      other.query(
        `INSERT INTO entry (event_id, type, shape, lane, received_at, route, source, secret, state, ready, due_at)
         VALUES ($1, 'x', 'thin', $1, now(), 'account', 'delivery', '', 'pending', true, now())`,
        [eventId],
      )
    await insert(a.eventId)
    const adding = Promise.all([inbox.add(z), inbox.add(a)])
    const isWaiting = async () =>
      (
        await schema.query(
          `SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND query LIKE '%json_to_recordset%'`,
        )
      ).length > 0
    await eventually('the adds to wait', isWaiting)
    await insert(z.eventId)
    await other.query('COMMIT')
    await other.end()
    expect(await adding).toEqual(['duplicate', 'duplicate'])
  })

  it('keeps the order of arrival within a batch', async () => {
    const entries = Array.from({ length: 50 }, () => newEntry())
    await Promise.all(entries.map((entry) => inbox.add(entry)))
    const leases = await inbox.claim({ limit: 50, leaseMs: 60_000 })
    expect(leases.map((lease) => lease.entry.eventId)).toEqual(entries.map((entry) => entry.eventId))
  })

  it('keeps bodies apart that share a transaction, whatever their lengths', async () => {
    const entries = [0, 1, 300, 0, 70_000].map((length) => newEntry({ body: Buffer.alloc(length, 'é') }))
    await Promise.all(entries.map((entry) => inbox.add(entry)))
    for (const { eventId, body } of entries) expect((await inbox.get(eventId))?.body, eventId).toEqual(body)
  })

  it('lets a failing add fail alone', async () => {
    const good = newEntry()
    // What no CHECK lets through stands for any fault of one entry; the cast makes what the types rule out.
    const bad = newEntry({ state: 'nonsense' as 'pending' })
    const [goodResult, badResult] = await Promise.allSettled([inbox.add(good), inbox.add(bad)])
    expect(goodResult).toEqual({ status: 'fulfilled', value: 'added' })
    expect(badResult).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('check') } })
    expect(badResult).not.toMatchObject({ reason: { code: 'store_unavailable' } })
  })

  it('takes any text of a handler, with a sign in place of what Postgres refuses', async () => {
    const entry = newEntry()
    await inbox.add(entry)
    expect(await inbox.settle(await claimOne(), { state: 'dead', error: 'half \udfff, none \0' })).toBe(true)
    expect((await inbox.get(entry.eventId))?.entry.reason).toBe('half \ufffd, none \ufffd')
  })

  it('claims past what another process is just claiming, without waiting for it', async () => {
    const [first, second] = [newEntry(), newEntry()]
    await inbox.add(first)
    await inbox.add(second)
    const other = new Client({ connectionString: schema.url })
    await other.connect()
    await other.query('BEGIN')
    await other.query(sql.claim, ['other', 60_000, 1])
    expect((await claimOne()).entry.eventId).toBe(second.eventId)
    await other.query('ROLLBACK')
    await other.end()
    expect((await claimOne()).entry.eventId).toBe(first.eventId)
  })

  it('leaves a lane alone that another process is just claiming in', async () => {
    for (let i = 0; i < 2; i += 1) await inbox.add(newEntry({ lane: '/x' }))
    const other = new Client({ connectionString: schema.url })
    await other.connect()
    await other.query('BEGIN')
    await other.query(sql.claim, ['other', 60_000, 1])
    expect(await inbox.claim({ limit: 9, leaseMs: 60_000 })).toEqual([])
    await other.query('COMMIT')
    await other.end()
    expect(await inbox.claim({ limit: 9, leaseMs: 60_000 })).toEqual([])
    expect(await inbox.counts()).toMatchObject({ pending: 1, running: 1 })
  })

  it('takes * alone for a sign when it lists by type', async () => {
    for (const type of ['a.b', 'aXb', 'a_b', 'a%b', 'a\\b']) await inbox.add(newEntry({ type }))
    const listed = async (type: string) => (await inbox.list({ type }, { limit: 9 })).map((entry) => entry.type)
    for (const type of ['a_b', 'a%b', 'a\\b', 'a.b']) expect(await listed(type)).toEqual([type])
    expect(await listed('a*b')).toHaveLength(5)
  })

  it('holds the uniqueness of ids and of running lanes in its schema', async () => {
    const insert = (eventId: string, lane: string) =>
      schema.query(
        `INSERT INTO entry (event_id, type, shape, lane, received_at, route, source, secret, state, ready, due_at)
         VALUES ($1, 'x', 'thin', $2, now(), 'account', 'delivery', '', 'running', false, now())`,
        [eventId, lane],
      )
    await insert('evt_1', '/a')
    await expect(insert('evt_1', '/b')).rejects.toThrow(/entry_event_id_key/)
    await expect(insert('evt_2', '/a')).rejects.toThrow(/entry_running_lane/)
    await insert('evt_2', '/b')
  })

  it('goes by the clock of the database, whatever time it is here', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 86_400_000 })
    const entry = newEntry()
    await inbox.add(entry)
    await claimOne()
    vi.useRealTimers()
    expect(await inbox.claim({ limit: 1, leaseMs: 60_000 })).toEqual([])
    const [row] = await schema.query(
      `SELECT 1 FROM entry WHERE received_at <= now() AND started_at <= now() AND lease_until <= now() + interval '1 minute'`,
    )
    expect(row).toBeDefined()
  })

  it('answers store_unavailable within two seconds while its tables are locked, and works on after it', async () => {
    const other = new Client({ connectionString: schema.url })
    await other.connect()
    await other.query('BEGIN; LOCK TABLE entry')
    const startedAt = performance.now()
    const results = await Promise.allSettled([inbox.add(newEntry()), inbox.check()])
    expect(performance.now() - startedAt).toBeLessThan(2_500)
    for (const result of results) expect(result).toMatchObject({ reason: { code: 'store_unavailable' } })
    await other.query('ROLLBACK')
    await other.end()
    await eventually('it to work', () =>
      inbox.check().then(
        () => true,
        () => false,
      ),
    )
    expect(await inbox.add(newEntry())).toBe('added')
  })

  it('is not ready where nothing can be written', async () => {
    const url = new URL(schema.url)
    url.searchParams.set('options', `-c search_path=${schema.name} -c default_transaction_read_only=on`)
    const standby = await openPostgresInbox(url.href, 'server')
    await expect(standby.check()).rejects.toMatchObject({ code: 'store_unavailable', message: /read-only/ })
    await expect(standby.add(newEntry())).rejects.toMatchObject({ code: 'store_unavailable', message: /read-only/ })
    await standby.close()
  })

  it('is ready after a failed write only once a write has gone through', async () => {
    const bad = newEntry()
    await schema.query('ALTER TABLE entry RENAME TO elsewhere')
    await expect(inbox.add(bad)).rejects.toMatchObject({ code: 'store_unavailable' })
    await schema.query('ALTER TABLE elsewhere RENAME TO entry; ALTER TABLE write_probe RENAME TO other')
    await expect(inbox.check()).rejects.toMatchObject({ code: 'store_unavailable' })
    await schema.query('ALTER TABLE other RENAME TO write_probe')
    await inbox.check()
    expect(await schema.query('SELECT * FROM write_probe')).toEqual([])
  })

  it('drops nothing because its own clock is ahead of that of the process', async () => {
    await inbox.add(newEntry())
    await inbox.settle(await claimOne(), { state: 'handled' })
    await schema.query(
      `UPDATE entry SET received_at = received_at - interval '70 days', settled_at = settled_at - interval '70 days'`,
    )
    await inbox.add(newEntry())
    const policy = { bodiesAfterMs: 30 * DAY_MS, entriesAfterMs: 60 * DAY_MS, limit: 10 }
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 70 * DAY_MS })
    expect(await inbox.prune(policy)).toEqual({ bodies: 0, entries: 0, next: null })
    vi.useRealTimers()
    expect(await inbox.prune(policy)).toMatchObject({ entries: 1 })
  })

  it('counts all entries for a command, and takes an estimate of many for a server', async () => {
    for (let i = 0; i < 3; i += 1) await inbox.add(newEntry({ state: 'parked' }))
    await schema.query(`UPDATE pg_class SET reltuples = 5e6 WHERE oid = 'entry'::regclass`)
    const command = await openPostgresInbox(schema.url, 'command')
    expect(await command.counts()).toMatchObject({ handled: 0, parked: 3 })
    expect(await inbox.counts()).toMatchObject({ handled: 5e6 - 3, parked: 3 })
    await command.close()
  })
})

it('SQLite users never load pg', async () => {
  const scratch = await makeScratch()
  const script = join(scratch.path, 'script.mjs')
  await writeFile(
    script,
    `import { createRequire } from 'node:module'
    import { openInbox } from ${JSON.stringify(new URL('../../../src/inbox/open-inbox.ts', import.meta.url))}
    const inbox = await openInbox(process.argv[2], 'server')
    await inbox.close()
    const { cache } = createRequire(import.meta.url)
    console.log(Object.keys(cache).some((file) => file.includes('node_modules/pg/')))`,
  )
  const load = async (databaseUrl: string) => (await run(process.execPath, [script, databaseUrl])).stdout.trim()
  const schema = planPostgresSchema()
  expect(await load(`file:${scratch.path}/inbox.db`)).toBe('false')
  expect(await load(schema.url)).toBe('true')
  await schema.remove()
  await scratch.remove()
})
