import { once } from 'node:events'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import { toReceiverError } from '../../../src/inbox/postgres/errors.ts'
import { openPostgresInbox } from '../../../src/inbox/postgres/inbox.ts'
import { parsePostgresUrl } from '../../../src/inbox/postgres/url.ts'
import { eventually } from '../../support/eventually.ts'
import { newEntry } from '../../support/new-entry.ts'
import { type PostgresSchema, planPostgresSchema } from '../../support/postgres-schema.ts'
import { type PostgresServer, startPostgres } from '../../support/postgres-server.ts'

/** Within so long the server finds out about a host that vanished, and ends what it left open. */
const BOUNDS: Readonly<Record<string, string>> = {
  idle_in_transaction_session_timeout: '10s',
  tcp_keepalives_idle: '5',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  // Other systems do not have it.
  ...(process.platform === 'linux' && { tcp_user_timeout: '20000' }),
}

describe('a Postgres whose settings change', () => {
  let server: PostgresServer
  let schema: PostgresSchema
  let inbox: Inbox | undefined
  // A server of its own: the others' tests need theirs as it is.
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.remove())
  beforeEach(() => {
    schema = planPostgresSchema(server.url)
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    await inbox?.close()
    await schema.query('ALTER SYSTEM RESET ALL')
    await schema.query('ALTER ROLE CURRENT_USER RESET ALL')
    await reload()
    await schema.remove()
  })

  /** Every process of the server has read its settings anew once a later session has. */
  async function reload(): Promise<void> {
    const [before] = await schema.query('SELECT pg_conf_load_time() AS at')
    await schema.query('SELECT pg_reload_conf()')
    await eventually('the settings to be read', async () => {
      const [now] = await schema.query('SELECT pg_conf_load_time() > $1 AS "isRead"', [before?.at])
      return now?.isRead === true
    })
  }

  async function change(settings: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, value] of Object.entries(settings)) await schema.query(`ALTER SYSTEM SET ${name} = ${value}`)
    await reload()
  }

  /** Each connection that is made from now on, with all that it has in force, as SHOW tells it. */
  function watchConnections(): { settings(): Promise<Record<string, string>[]> } {
    const connecting = vi.spyOn(Client.prototype, 'connect')
    const ended = vi.spyOn(Client.prototype, 'end')
    return {
      async settings() {
        const clients = connecting.mock.contexts.filter((client) => client instanceof Client)
        const open = clients.filter((client) => !ended.mock.contexts.includes(client))
        return Promise.all(
          open.map(async (client) => {
            const { rows } = await client.query('SELECT name, current_setting(name) AS value FROM pg_settings')
            return Object.fromEntries(rows.map(({ name, value }) => [name, value]))
          }),
        )
      },
    }
  }

  /** So that connections of every kind are made. */
  async function useAll(used: Inbox): Promise<void> {
    const lease = { limit: 1, leaseMs: 60_000 }
    await Promise.all([used.add(newEntry()), used.claim(lease), used.check(), used.counts(), used.writeNote('x', 'y')])
  }

  const isReady = (of: Inbox) =>
    of.check().then(
      () => true,
      () => false,
    )

  it('has what the promises need in force on every connection, also on those made after a change', async () => {
    const connections = watchConnections()
    inbox = await openPostgresInbox(schema.url, 'server')
    await useAll(inbox)
    const first = await connections.settings()
    expect(first.length).toBeGreaterThanOrEqual(4)
    for (const settings of first) expect(settings).toMatchObject({ ...BOUNDS, synchronous_commit: 'on' })

    await change({ synchronous_commit: 'off', ...Object.fromEntries(Object.keys(BOUNDS).map((name) => [name, '0'])) })
    await schema.query('ALTER ROLE CURRENT_USER SET synchronous_commit = off')
    const application = `application_name = 'stripe-webhook-receiver'`
    await schema.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${application}`)
    const later = watchConnections()
    const used = inbox
    await eventually('it to be ready', () => isReady(used))
    await useAll(used)
    const again = await later.settings()
    expect(again.length).toBeGreaterThanOrEqual(4)
    for (const settings of again) expect(settings).toMatchObject({ ...BOUNDS, synchronous_commit: 'on' })
  })

  it.each([
    ['off', 'on'],
    ['local', 'local'],
    ['remote_apply', 'remote_apply'],
  ])('keeps the synchronous_commit that it had at the start: %s becomes %s', async (before, expected) => {
    await change({ synchronous_commit: before })
    const connections = watchConnections()
    inbox = await openPostgresInbox(schema.url, 'server')
    await change({ synchronous_commit: before === 'off' ? 'local' : 'off' })
    await useAll(inbox)
    const found = await connections.settings()
    expect(found.map((settings) => settings.synchronous_commit)).toEqual(found.map(() => expected))
  })

  it('has the bounds in force while it is being migrated', async () => {
    const client = new Client({ connectionString: parsePostgresUrl(schema.url).connectionString([]) })
    await client.connect()
    for (const [name, value] of Object.entries(BOUNDS)) {
      expect((await client.query(`SHOW ${name}`)).rows, name).toEqual([{ [name]: value }])
    }
    await client.end()
  })

  it('is refused with fsync off, and says what to do', async () => {
    await (await openPostgresInbox(schema.url, 'server')).close()
    await change({ fsync: 'off' })
    for (const as of ['server', 'command'] as const) {
      await expect(openPostgresInbox(schema.url, as)).rejects.toMatchObject({
        code: 'inbox_unusable',
        message: expect.stringMatching(/fsync is off.*ALTER SYSTEM SET fsync = on/),
      })
    }
  })

  it('is not ready while fsync is off', async () => {
    inbox = await openPostgresInbox(schema.url, 'server')
    await inbox.check()
    await change({ fsync: 'off' })
    await expect(inbox.check()).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('fsync'),
    })
    await change({ fsync: 'on' })
    await inbox.check()
  })

  it('ends a transaction that a vanished host left open, and its lane goes on', async () => {
    inbox = await openPostgresInbox(schema.url, 'server')
    const entry = newEntry({ lane: '/x' })
    await inbox.add(entry)
    await inbox.claim({ limit: 1, leaseMs: 1 })
    await inbox.close()
    inbox = await openPostgresInbox(schema.url, 'server')
    const { claim } = inbox

    const vanished = new Client({ connectionString: parsePostgresUrl(schema.url).connectionString([]) })
    const ended = once(vanished, 'error')
    // The end of the connection is another one.
    vanished.on('error', () => {})
    await vanished.connect()
    // A fiftieth of what it is allowed.
    const { rows } = await vanished.query(`
      SELECT set_config(name, (1000 * extract(epoch FROM setting::integer * interval '1 ms') / 50)::integer::text, false) AS ms
      FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'`)
    expect(rows).toEqual([{ ms: '200ms' }])
    await vanished.query('BEGIN')
    await vanished.query('SELECT 1 FROM entry WHERE event_id = $1 FOR UPDATE', [entry.eventId])

    const [lease] = await eventually('the lane to go on', async () => {
      const leases = await claim({ limit: 1, leaseMs: 60_000 })
      return leases.length > 0 && leases
    })
    expect(lease?.entry.eventId).toBe(entry.eventId)
    const [error] = await ended
    expect(error).toMatchObject({ code: '25P03' })
    expect(toReceiverError(error)).toMatchObject({ code: 'store_unavailable' })
  })

  it('takes a service that syncs its log elsewhere for what it is', async () => {
    await change({ fsync: 'off' })
    const url = new URL(schema.url)
    url.searchParams.set('options', `-c search_path=${schema.name} -c neon.timeline_id=0123456789abcdef`)
    inbox = await openPostgresInbox(url.href, 'server')
    await inbox.check()
  })
})
