import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Lease, NewEntry, Outcome } from '../../../src/event.ts'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import { openPostgresInbox } from '../../../src/inbox/postgres/inbox.ts'
import { sql } from '../../../src/inbox/postgres/statements.ts'
import { eventually } from '../../support/eventually.ts'
import { newEntry } from '../../support/new-entry.ts'
import { type PostgresSchema, planPostgresSchema } from '../../support/postgres-schema.ts'

/** Each has connections of its own, as a process has. */
const STORES = 4
const ENTRIES = 1_200
const LANES = 10
/** Longer than an attempt here takes, so that only those that are given up run out. */
const LEASE_MS = 1_500

type IsAwaited = () => Promise<unknown>

describe('several workers on one Postgres', () => {
  let schema: PostgresSchema
  let inboxes: Inbox[]
  beforeEach(async () => {
    schema = planPostgresSchema()
    inboxes = await Promise.all(Array.from({ length: STORES }, () => openPostgresInbox(schema.url, 'server')))
  })
  afterEach(async () => {
    await Promise.all(inboxes.map((inbox) => inbox.close()))
    await schema.remove()
  })

  async function isAllSettled(): Promise<boolean> {
    const { pending, running } = (await inboxes[0]?.counts()) ?? { pending: 1, running: 0 }
    return pending + running === 0
  }

  it('never run two of one lane, settle nothing twice and strand nothing, whatever meets whatever', async () => {
    const problems: string[] = []
    const runningLanes = new Map<string, Lease>()
    const eventIds: string[] = []
    let isOver = false

    async function attempt(inbox: Inbox, lease: Lease): Promise<void> {
      const { lane, eventId } = lease.entry
      if (runningLanes.has(lane)) problems.push(`${eventId} was leased while its lane ran`)
      runningLanes.set(lane, lease)
      await delay(Math.random() * 4)
      runningLanes.delete(lane)
      // A few are given up, as by a process that died.
      if (Math.random() < 0.01) return
      const outcome: Outcome =
        Math.random() < 0.15
          ? { state: 'pending', retryInMs: Math.random() * 30, error: 'again' }
          : { state: 'handled' }
      const [first, second] = await Promise.all([inbox.settle(lease, outcome), inbox.settle(lease, outcome)])
      if (!first || second) problems.push(`${eventId} was settled ${first ? 'twice' : 'never'}`)
    }

    async function work(inbox: Inbox): Promise<void> {
      const attempts = new Set<Promise<void>>()
      while (!isOver) {
        const leases = attempts.size < 8 ? await inbox.claim({ limit: 8 - attempts.size, leaseMs: LEASE_MS }) : []
        for (const lease of leases) {
          const running: Promise<void> = attempt(inbox, lease).finally(() => attempts.delete(running))
          attempts.add(running)
        }
        if (leases.length === 0) await delay(2)
      }
      await Promise.all(attempts)
    }

    const working = inboxes.map(work)
    for (let sent = 0; sent < ENTRIES; sent += 40) {
      const entries = Array.from({ length: 40 }, () => newEntry({ lane: `/${Math.floor(Math.random() * LANES)}` }))
      eventIds.push(...entries.map(({ eventId }) => eventId))
      await Promise.all(entries.map((entry, index) => inboxes[index % STORES]?.add(entry)))
      // Replays touch what waits, what waits for its lane, and what runs.
      const again = Array.from({ length: 5 }, () => eventIds[Math.floor(Math.random() * eventIds.length)] ?? '')
      await inboxes[1]?.replay(again)
    }
    await eventually('everything to settle', isAllSettled, 25_000)
    isOver = true
    await Promise.all(working)
    expect(problems).toEqual([])
    expect(await inboxes[0]?.counts()).toMatchObject({ handled: ENTRIES, pending: 0, running: 0 })
    const attempts = await schema.query(
      `SELECT seq, replay FROM attempt WHERE outcome = 'handled' GROUP BY 1, 2 HAVING count(*) > 1`,
    )
    expect(attempts).toEqual([])
  })

  /** Runs a statement of the store as another process does, and holds its transaction open meanwhile. */
  async function during(statement: string, values: unknown[], meanwhile: (isAwaited: IsAwaited) => Promise<void>) {
    const other = new Client({ connectionString: schema.url })
    await other.connect()
    try {
      await other.query('BEGIN')
      expect((await other.query(statement, values)).rowCount).toBeGreaterThan(0)
      const { rows } = await other.query('SELECT pg_backend_pid() AS pid')
      await meanwhile(() =>
        eventually('someone to wait for it', async () => {
          const waiting = 'SELECT 1 FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))'
          return (await schema.query(waiting, [rows[0].pid])).length > 0
        }),
      )
      await other.query('COMMIT')
    } finally {
      await other.end()
    }
  }

  async function addAndClaim(entry: NewEntry): Promise<Lease> {
    await inboxes[0]?.add(entry)
    const [lease] = (await inboxes[0]?.claim({ limit: 1, leaseMs: 60_000 })) ?? []
    if (lease === undefined) throw new Error('nothing was due')
    return lease
  }

  it('promote what is being held back just when the running entry of its lane settles', async () => {
    const [inbox] = inboxes
    const lease = await addAndClaim(newEntry({ lane: '/x' }))
    const next = newEntry({ lane: '/x' })
    await inbox?.add(next)
    let settling: Promise<boolean> | undefined
    await during(sql.holdBack, [10], async (isAwaited) => {
      settling = inbox?.settle(lease, { state: 'handled' })
      await isAwaited()
    })
    expect(await settling).toBe(true)
    expect((await inbox?.claim({ limit: 1, leaseMs: 60_000 }))?.[0]?.entry.eventId).toBe(next.eventId)
  })

  /** In milliseconds: all that is settled is older than a time in the future. */
  const ALL = { bodiesAfterMs: -60_000, entriesAfterMs: -60_000, limit: 10 }

  it('keep the body of an entry that is just being replayed, and the entry', async () => {
    const [inbox] = inboxes
    const entry = newEntry()
    await inbox?.settle(await addAndClaim(entry), { state: 'handled' })
    await during(sql.replay, [[entry.eventId], ['handled']], async () => {
      expect(await inbox?.prune(ALL)).toMatchObject({ bodies: 0, entries: 0 })
    })
    expect(await inbox?.prune(ALL)).toMatchObject({ bodies: 0, entries: 0 })
    const [lease] = (await inbox?.claim({ limit: 1, leaseMs: 60_000 })) ?? []
    expect(Buffer.from(lease?.body ?? [])).toEqual(entry.body)
  })

  it.each(['dropBodies', 'dropEntries'] as const)(
    'replay nothing whose body is just being dropped (%s)',
    async (drop) => {
      const [inbox] = inboxes
      const entry = newEntry()
      await inbox?.settle(await addAndClaim(entry), { state: 'handled' })
      let replaying: Promise<string[]> | undefined
      await during(sql[drop], [-60_000, 10, 0, Date.now()], async (isAwaited) => {
        replaying = inbox?.replay([entry.eventId])
        await isAwaited()
      })
      expect(await replaying).toEqual([])
      expect(await inbox?.claim({ limit: 1, leaseMs: 60_000 })).toEqual([])
    },
  )

  it('hold a turn one at a time, and the other gets it once it is given back', async () => {
    const [one, other] = inboxes
    const taken = await Promise.all([one?.takeTurn('x', 60_000), other?.takeTurn('x', 60_000)])
    expect([...taken].sort()).toEqual([false, true])
    const [holder, waiting] = taken[0] === true ? [one, other] : [other, one]
    expect(await waiting?.takeTurn('x', 60_000)).toBe(false)
    expect(await holder?.takeTurn('x', 0)).toBe(true)
    expect(await waiting?.takeTurn('x', 60_000)).toBe(true)
    expect(await holder?.takeTurn('x', 60_000)).toBe(false)
  })

  it('drain one crowded lane without a pause, each entry once', async () => {
    const entries = Array.from({ length: 300 }, () => newEntry({ lane: '/crowded' }))
    const [inbox] = inboxes
    for (const entry of entries) await inbox?.add(entry)
    const order: string[] = []
    await Promise.all(
      inboxes.map(async (each) => {
        while (order.length < entries.length) {
          const [lease, ...more] = await each.claim({ limit: 16, leaseMs: 60_000 })
          expect(more).toEqual([])
          if (lease === undefined) continue
          order.push(lease.entry.eventId)
          await each.settle(lease, { state: 'handled' })
        }
      }),
    )
    // The order is that of arrival, but for a claim that began before its rival's and looked after it.
    expect(order.toSorted()).toEqual(entries.map(({ eventId }) => eventId).toSorted())
  })
})
