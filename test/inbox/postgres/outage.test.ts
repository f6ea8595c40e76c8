import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseConfig } from '../../../src/config.ts'
import type { Lease } from '../../../src/event.ts'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import { openPostgresInbox } from '../../../src/inbox/postgres/inbox.ts'
import { createService } from '../../../src/service.ts'
import { deliver } from '../../support/deliver.ts'
import { eventually } from '../../support/eventually.ts'
import { newEntry } from '../../support/new-entry.ts'
import { type PostgresSchema, planPostgresSchema } from '../../support/postgres-schema.ts'
import { type PostgresServer, startPostgres } from '../../support/postgres-server.ts'
import { SECRET, snapshotJson } from '../../support/sign.ts'

/** What a delivery and a readiness probe may wait for a Postgres that is lost, with some time for a busy machine. */
const TOLD_WITHIN_MS = 2_300

describe('a Postgres that is lost', () => {
  let server: PostgresServer
  let schema: PostgresSchema
  let inbox: Inbox
  // A server of its own, since the others' tests would be lost with it.
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.remove())
  beforeEach(async () => {
    schema = planPostgresSchema(server.url)
    inbox = await openPostgresInbox(schema.url, 'server')
    // So that every connection is there, and in use.
    await Promise.all([inbox.add(newEntry({ state: 'parked' })), inbox.check(), inbox.claim({ limit: 1, leaseMs: 1 })])
  })
  afterEach(async () => {
    await inbox.close()
    await schema.remove()
  })

  async function expectRefusals(): Promise<void> {
    const startedAt = performance.now()
    const attempts = [inbox.check(), ...Array.from({ length: 50 }, () => inbox.add(newEntry()))]
    for (const attempt of await Promise.allSettled(attempts))
      expect(attempt).toMatchObject({ status: 'rejected', reason: { code: 'store_unavailable' } })
    expect(performance.now() - startedAt).toBeLessThan(TOLD_WITHIN_MS)
  }

  const isReady = () =>
    inbox.check().then(
      () => true,
      () => false,
    )

  it('is told of within two seconds when it is stopped, and is used again once it runs', async () => {
    await server.stop()
    await expectRefusals()
    await expect(inbox.claim({ limit: 1, leaseMs: 1_000 })).rejects.toMatchObject({ code: 'store_unavailable' })
    await expect(inbox.counts()).rejects.toMatchObject({ code: 'store_unavailable' })
    await server.start()
    await eventually('it to be ready', isReady)
    expect(await inbox.add(newEntry())).toBe('added')
    expect(await inbox.claim({ limit: 9, leaseMs: 60_000 })).toHaveLength(1)
  })

  it('is told of within two seconds when it hangs, and is used again once it answers', async () => {
    const pids = await server.pids()
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    try {
      await expectRefusals()
      await expectRefusals()
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT')
    }
    await eventually('it to be ready', isReady)
    expect(await inbox.add(newEntry())).toBe('added')
  })

  it('has nothing kept for it that was answered while it hung, but what was under way', async () => {
    const pids = await server.pids()
    const [first, ...others] = Array.from({ length: 21 }, () => newEntry())
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    try {
      const underWay = inbox.add(first ?? newEntry())
      await nextTurn()
      for (const refused of await Promise.allSettled([underWay, ...others.map((entry) => inbox.add(entry))]))
        expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'store_unavailable' } })
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT')
    }
    await eventually('it to be ready', isReady)
    expect(await inbox.add(newEntry())).toBe('added')
    expect(await inbox.lookUp(others.map(({ eventId }) => eventId))).toEqual([])
  })

  it('does not keep a server from stopping within its time', async () => {
    const config = parseConfig({
      STRIPE_WEBHOOK_SECRET: SECRET,
      DATABASE_URL: schema.url,
      ...{ HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0', SHUTDOWN_TIMEOUT_MS: '1500', LOG_LEVEL: 'silent' },
    })
    const service = await createService(config)
    const pids = await server.pids()
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    try {
      // By then a claim is under way too.
      expect(await deliver(`${service.url}/webhook`, snapshotJson())).toBe(503)
      const inTime = delay(6_000, 'still stopping', { ref: false })
      expect(await Promise.race([service.stop(), inTime])).toBe(false)
      await expect(fetch(`${service.url}/healthz`)).rejects.toThrow()
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT')
    }
  })

  it('has all that it acknowledged, however often it crashes among the commits', async () => {
    const acknowledged = new Set<string>()
    const problems: unknown[] = []
    let isOver = false
    async function send(): Promise<void> {
      while (!isOver) {
        const entry = newEntry({ lane: `/${Math.floor(Math.random() * 50)}` })
        try {
          await inbox.add(entry)
          acknowledged.add(entry.eventId)
        } catch (error) {
          if (!isUnavailable(error)) problems.push(error)
          await delay(5)
        }
      }
    }
    /** As the worker does: until the store says yes or no. */
    async function settleInTheEnd(lease: Lease): Promise<void> {
      for (;;) {
        try {
          return void (await inbox.settle(lease, { state: 'handled' }))
        } catch (error) {
          if (!isUnavailable(error)) problems.push(error)
          await delay(5)
        }
      }
    }
    async function work(): Promise<void> {
      while (!isOver) {
        try {
          const leases = await inbox.claim({ limit: 8, leaseMs: 2_000 })
          await Promise.all(leases.map(settleInTheEnd))
          if (leases.length === 0) await delay(5)
        } catch (error) {
          if (!isUnavailable(error)) problems.push(error)
          await delay(5)
        }
      }
    }
    const running = [...Array.from({ length: 32 }, send), work(), work()]
    for (let crash = 0; crash < 4; crash += 1) {
      await delay(200 + Math.random() * 300)
      const before = acknowledged.size
      await server.restart()
      await eventually('deliveries to be acknowledged again', () => acknowledged.size > before + 50)
    }
    isOver = true
    await Promise.all(running)
    expect(problems).toEqual([])
    const stored = await schema.query('SELECT event_id FROM entry JOIN payload USING (seq)')
    const ids = new Set(stored.map(({ event_id }) => event_id))
    expect([...acknowledged].filter((eventId) => !ids.has(eventId))).toEqual([])
    // What was claimed at a crash, and nobody was told of, comes back when its lease is over.
    const isAllHandled = async () => {
      const leases = await inbox.claim({ limit: 99, leaseMs: 2_000 })
      await Promise.all(leases.map((lease) => inbox.settle(lease, { state: 'handled' })))
      return leases.length === 0 && (await inbox.counts()).handled === ids.size - 1
    }
    await eventually('everything to be handled', isAllHandled)
  })
})

function isUnavailable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'store_unavailable'
}
