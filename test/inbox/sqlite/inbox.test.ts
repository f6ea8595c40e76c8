import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import { assertSqliteVersion } from '../../../src/inbox/sqlite/file.ts'
import { openSqliteInbox } from '../../../src/inbox/sqlite/inbox.ts'
import { eventually } from '../../support/eventually.ts'
import { newEntry } from '../../support/new-entry.ts'
import { makeScratch } from '../../support/scratch.ts'
import { describeForwards } from '../forwards-contract.ts'
import { describeInbox, type StoreUnderTest } from '../inbox-contract.ts'

const openStore = async (): Promise<StoreUnderTest> => {
  const scratch = await makeScratch()
  const path = join(scratch.path, 'inbox.db')
  let inbox = await openSqliteInbox(path, 'server')
  return {
    inbox,
    async reopen() {
      await inbox.close()
      inbox = await openSqliteInbox(path, 'server')
      return inbox
    },
    async loseProcess() {
      await inbox.close()
      inbox = await openSqliteInbox(path, 'server')
      return inbox
    },
    async age(ms, eventId) {
      using db = new DatabaseSync(path, { timeout: 1_000 })
      db.prepare(
        `UPDATE entry SET received_at = received_at - ?1, due_at = due_at - ?1, settled_at = settled_at - ?1
         WHERE ?2 IS NULL OR event_id = ?2`,
      ).run(ms, eventId ?? null)
      for (const table of ['figures', 'action']) db.prepare(`UPDATE ${table} SET at = at - ?`).run(ms)
    },
    async leaveGap(entries) {
      using db = new DatabaseSync(path, { timeout: 1_000, enableForeignKeyConstraints: false })
      const { seq = null } = db.prepare('SELECT max(seq) AS seq FROM entry').get() ?? {}
      for (const table of ['entry', 'payload'])
        db.prepare(`UPDATE ${table} SET seq = seq + ? WHERE seq = ?`).run(entries, seq)
    },
    async remove() {
      await inbox.close()
      await scratch.remove()
    },
  }
}
describeInbox('the SQLite store', openStore)
describeForwards('the SQLite store', openStore)

describe('the SQLite file', () => {
  let scratch: Awaited<ReturnType<typeof makeScratch>>
  let path: string
  beforeEach(async () => {
    scratch = await makeScratch()
    path = join(scratch.path, 'deep', 'folder', 'inbox.db')
  })
  afterEach(() => scratch.remove())

  it.runIf(process.platform === 'linux')('is read by a thread that lets all others go first', async () => {
    const priorities = () =>
      readdirSync('/proc/self/task').map((thread) => {
        const [, facts = ''] = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ')
        return facts.split(' ')[16]
      })
    const before = priorities().filter((nice) => nice === '10').length
    const inbox = await openSqliteInbox(path, 'server')
    expect(priorities().filter((nice) => nice === '10')).toHaveLength(before)
    await inbox.counts()
    expect(priorities().filter((nice) => nice === '10')).toHaveLength(before + 1)
    await inbox.close()
  })

  it('is all that is left once the inbox is closed, though it was read', async () => {
    const inbox = await openSqliteInbox(path, 'server')
    await inbox.add(newEntry())
    const stillReading = Array.from({ length: 50 }, () => inbox.counts())
    await inbox.close()
    await Promise.all(stillReading)
    expect(await readdir(dirname(path))).toEqual(['inbox.db', 'inbox.db.server-lock'])
  })

  async function withDatabase(change: (db: DatabaseSync) => void): Promise<void> {
    await (await openSqliteInbox(path, 'server')).close()
    const db = new DatabaseSync(path)
    change(db)
    db.close()
  }

  it('is made with its folder, for the owner only', async () => {
    const inbox = await openSqliteInbox(path, 'server')
    await inbox.add(newEntry())
    for (const name of ['', '-wal', '-shm', '.server-lock'])
      expect((await stat(path + name)).mode & 0o077, name).toBe(0)
    expect((await stat(join(path, '..'))).mode & 0o077).toBe(0)
    await inbox.close()
  })

  it('is a write-ahead log with pages of 16 KiB', async () => {
    await withDatabase((db) => {
      expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
      expect(db.prepare('PRAGMA page_size').get()).toEqual({ page_size: 16384 })
    })
  })

  it('refuses a second server, and lets one in again once the first has closed', async () => {
    const first = await openSqliteInbox(path, 'server')
    await expect(openSqliteInbox(path, 'server')).rejects.toMatchObject({ code: 'inbox_in_use' })
    await first.add(newEntry())
    await first.close()
    await (await openSqliteInbox(path, 'server')).close()
  })

  it('frees the leases of a dead process at the next start, and records the lost attempt', async () => {
    const entry = newEntry()
    const dying = await openSqliteInbox(path, 'server')
    await dying.add(entry)
    await dying.claim({ limit: 1, leaseMs: 3_600_000 })
    await dying.close()
    const next = await openSqliteInbox(path, 'server')
    const [lease] = await next.claim({ limit: 1, leaseMs: 1000 })
    expect(lease).toMatchObject({ attempt: 2, entry: { eventId: entry.eventId } })
    expect((await next.get(entry.eventId))?.attempts).toMatchObject([{ number: 1, outcome: 'lost' }])
    await next.close()
  })

  it('keeps the leases of a process that lives, however long by the clock', async () => {
    const inbox = await openSqliteInbox(path, 'server')
    await inbox.add(newEntry())
    const [lease] = await inbox.claim({ limit: 1, leaseMs: 1 })
    if (lease === undefined) throw new Error('nothing was due')
    const before = Date.now()
    await eventually('the clock to move', () => Date.now() > before + 5)
    expect(await inbox.claim({ limit: 1, leaseMs: 1 })).toEqual([])
    expect(await inbox.settle(lease, { state: 'handled' })).toBe(true)
    await inbox.close()
  })

  /** All that was written until now, as by a clock that was an hour ahead. */
  async function setClockBack(): Promise<void> {
    using db = new DatabaseSync(path, { timeout: 1_000 })
    db.exec(`UPDATE entry SET received_at = received_at + 3600000, due_at = due_at + 3600000;
             UPDATE attempt SET started_at = started_at + 3600000, ended_at = ended_at + 3600000`)
  }

  it('lets a retry wait as long as was meant after the clock was set back, however often it starts', async () => {
    const entry = newEntry()
    const first = await openSqliteInbox(path, 'server')
    await first.add(entry)
    const [lease] = await first.claim({ limit: 1, leaseMs: 1_000 })
    if (lease === undefined) throw new Error('nothing was due')
    await first.settle(lease, { state: 'pending', retryInMs: 600_000, error: 'not yet' })
    await setClockBack()
    await first.add(newEntry())
    await first.close()
    const earliest = Date.now()
    await (await openSqliteInbox(path, 'server')).close()
    const latest = Date.now()
    const last = await openSqliteInbox(path, 'server')
    const dueAt = (await last.get(entry.eventId))?.entry.dueAt.getTime()
    expect(dueAt).toBeGreaterThanOrEqual(earliest + 600_000)
    expect(dueAt).toBeLessThanOrEqual(latest + 600_000)
    await last.close()
  })

  it('is shared with a command, which frees nothing and sees what the server stored', async () => {
    const entry = newEntry()
    const server = await openSqliteInbox(path, 'server')
    await server.add(entry)
    await server.claim({ limit: 1, leaseMs: 60_000 })
    const command = await openSqliteInbox(path, 'command')
    expect((await command.get(entry.eventId))?.entry.state).toBe('running')
    await command.close()
    await server.close()
  })

  it('is not made by a command', async () => {
    await expect(openSqliteInbox(path, 'command')).rejects.toMatchObject({ code: 'inbox_missing' })
  })

  it('refuses a schema newer than the program', async () => {
    await withDatabase((db) => db.exec('PRAGMA user_version = 999'))
    for (const as of ['server', 'command'] as const) {
      await expect(openSqliteInbox(path, as)).rejects.toMatchObject({
        code: 'inbox_unusable',
        message: expect.stringContaining('schema 999'),
      })
    }
  })

  it('refuses a file that is no database, and leaves it as it was', async () => {
    const file = join(scratch.path, 'notes.txt')
    await writeFile(file, 'not a database, '.repeat(100))
    await expect(openSqliteInbox(file, 'server')).rejects.toMatchObject({
      code: 'inbox_unusable',
      message: expect.stringContaining('not a database'),
    })
    expect((await stat(file)).size).toBe(1600)
  })

  it('is brought up to date from schema 1, with what waits, runs, and is settled', async () => {
    await mkdir(dirname(path), { recursive: true })
    const db = new DatabaseSync(path)
    db.exec(await readFile(new URL('../../../src/inbox/sqlite/migrations/0001-inbox.sql', import.meta.url), 'utf8'))
    db.exec('PRAGMA user_version = 1')
    const insert = db.prepare(`
      INSERT INTO entry (event_id, type, shape, lane, received_at, route, source, secret, state, ready, due_at, owner, lease_until, started_at)
      VALUES (?1, 'x', 'thin', '/' || ?2, 0, 'account', 'delivery', '', ?3, ?4, 0, ?5, ?6, ?6)`)
    insert.run('evt_due', 'a', 'pending', 1, null, null)
    insert.run('evt_running', 'b', 'running', 1, 'another', 1)
    insert.run('evt_held_back', 'b', 'pending', 0, null, null)
    insert.run('evt_handled', 'c', 'handled', 1, null, null)
    db.exec(`INSERT INTO payload SELECT seq, x'7b7d' FROM entry`)
    db.close()

    const inbox = await openSqliteInbox(path, 'server')
    const claimed = await inbox.claim({ limit: 10, leaseMs: 60_000 })
    expect(claimed.map(({ entry }) => entry.eventId)).toEqual(['evt_due', 'evt_running'])
    for (const lease of claimed) await inbox.settle(lease, { state: 'handled' })
    expect(await inbox.claim({ limit: 10, leaseMs: 60_000 })).toMatchObject([{ entry: { eventId: 'evt_held_back' } }])
    expect(await inbox.counts()).toMatchObject({ handled: 3, running: 1, pending: 0 })
    await inbox.close()
  })

  it('holds the uniqueness of ids and of running lanes in its schema', async () => {
    await withDatabase((db) => {
      const insert =
        db.prepare(`INSERT INTO entry (event_id, type, shape, lane, received_at, route, source, secret, state, due_at)
        VALUES (?, 'x', 'thin', ?, 0, 'account', 'delivery', '', 'running', 0)`)
      insert.run('evt_1', '/a')
      expect(() => insert.run('evt_1', '/b')).toThrow(/UNIQUE constraint failed: entry.event_id/)
      expect(() => insert.run('evt_2', '/a')).toThrow(/UNIQUE constraint failed/)
      insert.run('evt_2', '/b')
    })
  })

  it('answers store_unavailable while another process holds the write lock, and works on after it', async () => {
    const inbox = await openSqliteInbox(path, 'server')
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    const entry = newEntry()
    await expect(inbox.add(entry)).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('locked'),
    })
    await expect(inbox.check()).rejects.toMatchObject({ code: 'store_unavailable' })
    other.exec('ROLLBACK')
    other.close()
    await expect(inbox.check()).resolves.toBeUndefined()
    expect(await inbox.add(entry)).toBe('added')
    await inbox.close()
  })

  it('shares transactions among adds that come at once', async () => {
    const commits: number[] = []
    const inbox = await openSqliteInbox(path, 'server', { onCommit: (items) => commits.push(items) })
    const results = await Promise.all(Array.from({ length: 50 }, () => inbox.add(newEntry())))
    expect(new Set(results)).toEqual(new Set(['added']))
    expect(commits.reduce((sum, items) => sum + items, 0)).toBe(50)
    expect(commits.length).toBeLessThan(50)
    expect(await inbox.counts()).toMatchObject({ pending: 50 })
    await inbox.close()
  })

  it('lets a failing operation fail alone', async () => {
    const inbox = await openSqliteInbox(path, 'server')
    const good = newEntry()
    // What no column takes stands for any fault of one entry; the cast makes what the types rule out.
    const bad = { ...newEntry(), account: ['no text'] as unknown as string }
    const [goodResult, badResult] = await Promise.allSettled([inbox.add(good), inbox.add(bad)])
    expect(goodResult).toEqual({ status: 'fulfilled', value: 'added' })
    expect(badResult?.status).toBe('rejected')
    await inbox.close()
  })

  describe('leases what it adds, when asked to', () => {
    const LEASE = { leaseMs: 60_000 }
    let inbox: Inbox
    beforeEach(async () => {
      inbox = await openSqliteInbox(path, 'server')
    })
    afterEach(() => inbox.close())

    it('as if it had been claimed at once', async () => {
      const entry = newEntry({ account: 'acct_1', livemode: true })
      const lease = await inbox.add(entry, LEASE)
      if (typeof lease === 'string') throw new Error(`expected a lease, got ${lease}`)
      const { body, state: _state, reason: _reason, ...facts } = entry
      expect(lease).toMatchObject({ entry: facts, body, attempt: 1, handledTwin: null, isSuperseded: false })
      const found = await inbox.get(entry.eventId)
      expect(found?.entry).toMatchObject({ state: 'running', attempts: 1, receivedAt: lease.entry.receivedAt })
      expect(await inbox.claim({ limit: 1, leaseMs: 1 })).toEqual([])
      expect(await inbox.settle(lease, { state: 'handled' })).toBe(true)
      expect((await inbox.get(entry.eventId))?.attempts).toMatchObject([{ number: 1, outcome: 'handled' }])
    })

    it('but not while its lane runs, and lets it run after that', async () => {
      const running = await inbox.add(newEntry({ lane: '/x' }), LEASE)
      const next = newEntry({ lane: '/x' })
      expect(await inbox.add(next, LEASE)).toBe('added')
      expect(await inbox.claim({ limit: 1, ...LEASE })).toEqual([])
      if (typeof running === 'string') throw new Error('expected a lease')
      await inbox.settle(running, { state: 'handled' })
      expect(await inbox.claim({ limit: 1, ...LEASE })).toMatchObject([{ entry: { eventId: next.eventId } }])
    })

    it('but not while something of its lane waits', async () => {
      await inbox.add(newEntry({ lane: '/x' }))
      expect(await inbox.add(newEntry({ lane: '/x' }), LEASE)).toBe('added')
    })

    it.each([
      ['thin', 'snapshot'],
      ['snapshot', 'thin'],
    ] as const)('but not the %s event of a change when the %s event is here', async (second, _first) => {
      const snapshot = newEntry({ lane: '/pi_1' })
      const thin = newEntry({ lane: '/pi_1', shape: 'thin', snapshotEventId: snapshot.eventId })
      const [earlier, later] = second === 'thin' ? [snapshot, thin] : [thin, snapshot]
      const lease = await inbox.add(earlier, LEASE)
      if (typeof lease === 'string') throw new Error('expected a lease')
      await inbox.settle(lease, { state: 'handled' })
      expect(await inbox.add(later, LEASE)).toBe('added')
      expect(await inbox.claim({ limit: 1, ...LEASE })).toMatchObject([{ handledTwin: earlier.eventId }])
    })

    it('but neither a duplicate nor what is parked', async () => {
      const entry = newEntry({ state: 'parked', reason: 'test event' })
      expect(await inbox.add(entry, LEASE)).toBe('added')
      expect(await inbox.add({ ...entry, state: 'pending' }, LEASE)).toBe('duplicate')
    })
  })

  it('refuses an SQLite that can corrupt it', () => {
    expect(() => assertSqliteVersion('3.51.2')).toThrow(expect.objectContaining({ code: 'inbox_unusable' }))
    expect(() => assertSqliteVersion('3.9.9')).toThrow(/3\.51\.3 or later/)
    for (const good of ['3.51.3', '3.52.0', '4.0.0']) assertSqliteVersion(good)
  })
})
