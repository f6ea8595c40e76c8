import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ForwardLease, ForwardOutcome } from '../../../src/inbox/forwards.ts'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import { forwardSql } from '../../../src/inbox/postgres/forward-statements.ts'
import { openPostgresInbox } from '../../../src/inbox/postgres/inbox.ts'
import { eventually } from '../../support/eventually.ts'
import { newEntry } from '../../support/new-entry.ts'
import { type PostgresSchema, planPostgresSchema } from '../../support/postgres-schema.ts'

/** Each has connections of its own, as a process has. */
const STORES = 4
const LANES = 6
const EACH_LANE = 80
/** Longer than an attempt here takes, so that only those that are given up run out. */
const LEASE_MS = 1_500

const answered = { status: 200, answer: null }
const dead: ForwardOutcome = { state: 'dead', error: 'final', ...answered }
const failed = (retryInMs: number): ForwardOutcome => ({ state: 'pending', retryInMs, error: 'again', ...answered })

describe('several processes on one Postgres, and a target that keeps the order of lanes', () => {
  let schema: PostgresSchema
  let inboxes: [Inbox, ...Inbox[]]
  beforeEach(async () => {
    schema = planPostgresSchema()
    const open = () => openPostgresInbox(schema.url, 'server')
    inboxes = [await open(), ...(await Promise.all(Array.from({ length: STORES - 1 }, open)))]
  })
  afterEach(async () => {
    await Promise.all(inboxes.map((inbox) => inbox.close()))
    await schema.remove()
  })
  const isAllDelivered = async () =>
    (await inboxes[0].forwards.counts()).every(({ state }) => state !== 'pending' && state !== 'running')

  async function add(inbox: Inbox, lane: string): Promise<string> {
    const entry = newEntry({ lane, forwards: [{ target: 'shop', hops: 1, held: null, order: 'lane' }] })
    expect(await inbox.add(entry)).toBe('added')
    return entry.eventId
  }
  const claim = (inbox: Inbox, limit = 10, leaseMs = 60_000) =>
    inbox.forwards.claim({ wanted: [{ target: 'shop', limit }], leaseMs })
  const pick = <T>(some: readonly T[]): T | undefined => some[Math.floor(Math.random() * some.length)]

  it('never run two of one lane, nor one before its turn, and strand nothing', async () => {
    const problems: string[] = []
    const arrived = new Map<string, string[]>()
    const running = new Set<string>()
    const ended = new Set<string>()
    const died: string[] = []
    let isOver = false

    async function attempt(inbox: Inbox, lease: ForwardLease): Promise<void> {
      const { eventId } = lease.entry
      const lane = lease.lane ?? ''
      if (running.has(lane)) problems.push(`${eventId} was leased while its lane ran`)
      const before = arrived.get(lane)?.slice(0, arrived.get(lane)?.indexOf(eventId)) ?? []
      const waiting = arrived.get(lane)?.includes(eventId) ? before.filter((each) => !ended.has(each)) : []
      if (waiting.length > 0) problems.push(`${eventId} was leased before ${waiting}`)
      running.add(lane)
      await delay(Math.random() * 4)
      running.delete(lane)
      const chance = Math.random()
      // A few are given up, as by a process that died.
      if (chance < 0.01) return
      if (chance < 0.15) return void (await inbox.forwards.settle(lease, failed(Math.random() * 30)))
      ended.add(eventId)
      if (chance < 0.2) died.push(eventId)
      await inbox.forwards.settle(lease, chance < 0.2 ? dead : { state: 'delivered', ...answered })
    }

    async function work(inbox: Inbox): Promise<void> {
      const attempts = new Set<Promise<void>>()
      while (!isOver) {
        const leases = attempts.size < 4 ? await claim(inbox, 4 - attempts.size, LEASE_MS) : []
        for (const lease of leases) {
          const one: Promise<void> = attempt(inbox, lease).finally(() => attempts.delete(one))
          attempts.add(one)
        }
        if (leases.length === 0) await delay(2)
      }
      await Promise.all(attempts)
    }

    /** One after the other, each by some process; some that are dead are replayed meanwhile. */
    async function fill(lane: string): Promise<void> {
      arrived.set(lane, [])
      for (let sent = 0; sent < EACH_LANE; sent += 1) {
        arrived.get(lane)?.push(await add(pick(inboxes) ?? inboxes[0], lane))
        const again = sent % 10 === 0 ? died.splice(0, 1) : []
        if (again.length > 0) await inboxes[0].forwards.replay('shop', again, ['dead'])
      }
    }

    const working = inboxes.map(work)
    await Promise.all(Array.from({ length: LANES }, (_, index) => fill(`/${index}`)))
    await eventually('everything to be delivered or given up', isAllDelivered, 25_000)
    isOver = true
    await Promise.all(working)
    expect(problems).toEqual([])
    expect(ended.size).toBe(LANES * EACH_LANE)
  })

  const ONE = JSON.stringify([{ target: 'shop', most: 1 }])

  /** Runs a statement of the store as another process does, and commits it once what `begin` began waits for it. */
  async function during<T>(statement: string, values: unknown[], begin: () => Promise<T>): Promise<T> {
    const other = new Client({ connectionString: schema.url })
    await other.connect()
    try {
      await other.query('BEGIN')
      expect((await other.query(statement, values)).rowCount).toBe(1)
      const { rows } = await other.query('SELECT pg_backend_pid() AS pid')
      const begun = begin()
      await eventually('someone to wait for it', async () => {
        const waiting = 'SELECT 1 FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))'
        return (await schema.query(waiting, [rows[0].pid])).length > 0
      })
      await other.query('COMMIT')
      return await begun
    } finally {
      await other.end()
    }
  }

  it('promote what is being held back just when the one before it settles', async () => {
    const [inbox] = inboxes
    await add(inbox, '/x')
    const [lease = expect.unreachable()] = await claim(inbox)
    const next = await add(inbox, '/x')
    const settle = () => inbox.forwards.settle(lease, { state: 'delivered', ...answered })
    expect(await during(forwardSql.holdBack, [ONE, 10], settle)).toBe(true)
    expect((await claim(inbox)).map(({ entry }) => entry.eventId)).toEqual([next])
  })

  it('run one of two that claims took which did not see each other', async () => {
    const [inbox] = inboxes
    const [first] = [await add(inbox, '/x'), await add(inbox, '/x')]
    const [lease = expect.unreachable()] = await claim(inbox)
    await inbox.forwards.settle(lease, dead)
    // Takes the second; before it commits, the first is replayed and another claim takes that.
    const claiming = during(forwardSql.claim, ['another', 60_000, ONE], async () => {
      expect(await inbox.forwards.replay('shop', [first], ['dead'])).toEqual([first])
      return claim(inbox)
    })
    expect(await claiming).toEqual([])
  })

  it('go on with what was replayed when the process is lost that ran a later one of its lane', async () => {
    const [inbox, another = inbox] = inboxes
    const first = await add(inbox, '/x')
    await add(inbox, '/x')
    const [lease = expect.unreachable()] = await claim(inbox)
    await inbox.forwards.settle(lease, dead)
    expect(await claim(another)).toHaveLength(1)
    await inbox.forwards.replay('shop', [first], ['dead'])
    expect(await claim(inbox)).toEqual([])
    await schema.query(`UPDATE forward SET lease_until = now() WHERE state = 'running'`)
    const leased = await eventually('its lease to be freed', async () => {
      const leases = await claim(inbox)
      return leases.length > 0 && leases
    })
    expect(leased.map(({ entry }) => entry.eventId)).toEqual([first])
  })
})
