import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { NewEntry } from '../../src/event.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { openPostgresInbox } from '../../src/inbox/postgres/inbox.ts'
import { newEntry } from '../support/new-entry.ts'
import { type PostgresSchema, planPostgresSchema } from '../support/postgres-schema.ts'
import { runCli } from '../support/run-cli.ts'

describe('npm run events, on Postgres', () => {
  let schema: PostgresSchema
  let inbox: Inbox
  let dead: NewEntry
  let parked: NewEntry
  beforeAll(async () => {
    schema = planPostgresSchema()
    inbox = await openPostgresInbox(schema.url, 'server')
    dead = newEntry({ type: 'payout.failed' })
    parked = newEntry({ state: 'parked', reason: 'test event on a live server' })
    await inbox.add(dead)
    const [lease] = await inbox.claim({ limit: 1, leaseMs: 60_000 })
    if (lease !== undefined) await inbox.settle(lease, { state: 'dead', error: 'no such account' })
    await inbox.add(parked)
  })
  afterAll(async () => {
    await inbox.close()
    await schema.remove()
  })

  const events = (...args: string[]) => runCli(['events', ...args], { env: { DATABASE_URL: schema.url } })

  it('counts', async () => {
    const { code, stdout } = await events('counts', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ pending: 0, running: 0, handled: 0, parked: 1, dead: 1 })
  })

  it('lists, by a filter', async () => {
    const { code, stdout } = await events('list', '--type', 'payout.*', '--state', 'dead', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ eventId: dead.eventId, state: 'dead', reason: 'no such account' })
  })

  it('shows an entry with its attempts, and its exact bytes', async () => {
    expect((await events('show', dead.eventId)).stdout).toMatch(/no such account/)
    expect((await events('show', '--payload', parked.eventId)).stdout).toBe(Buffer.from(parked.body).toString())
  })

  it('tells what it would replay, and changes nothing', async () => {
    const { code, stdout } = await events('replay', '--dry-run', '--state', 'dead,parked')
    expect([code, stdout]).toEqual([0, expect.stringContaining('would replay 2 entries; nothing was changed\n')])
    expect(stdout).toMatch(/^1 +dead +payout\.failed$/m)
    expect(await inbox.counts()).toMatchObject({ pending: 0, parked: 1, dead: 1 })
  })

  it('replays the one that is named', async () => {
    const named = newEntry({ type: 'customer.created', state: 'parked', reason: 'test event on a live server' })
    await inbox.add(named)
    const { code, stdout } = await events('replay', named.eventId)
    expect([code, stdout]).toEqual([0, 'replayed 1 entry\n'])
    const [lease, ...others] = await inbox.claim({ limit: 9, leaseMs: 60_000 })
    expect([lease?.entry.eventId, others]).toEqual([named.eventId, []])
    if (lease !== undefined) await inbox.settle(lease, { state: 'handled' })
  })

  it('says so of an id that no entry has', async () => {
    const { code, stdout, stderr } = await events('replay', 'evt_nowhere')
    expect([code, stdout]).toEqual([1, 'replayed 0 entries, 1 left alone\n'])
    expect(stderr).toBe('evt_nowhere left alone: no entry has this id\n')
  })

  it('replays all but what was handled, beside the server that has the inbox', async () => {
    const { code, stdout } = await events('replay', '--type', '*')
    expect([code, stdout]).toEqual([0, 'replayed 2 entries\n'])
    const leases = await inbox.claim({ limit: 9, leaseMs: 60_000 })
    expect(leases.map(({ entry }) => entry.eventId).sort()).toEqual([dead.eventId, parked.eventId].sort())
  })

  it('parks what runs, and drops it', async () => {
    expect(await events('park', dead.eventId)).toMatchObject({ code: 0, stdout: 'parked 1 entry\n' })
    expect((await inbox.get(dead.eventId))?.entry).toMatchObject({
      state: 'parked',
      reason: expect.stringMatching(/^parked by .+@/),
    })
    expect(await events('drop', '--type', '*')).toMatchObject({ code: 0, stdout: 'dropped 1 entry\n' })
    expect((await inbox.get(dead.eventId))?.entry).toMatchObject({
      state: 'handled',
      reason: expect.stringMatching(/^dropped by .+@/),
    })
  })

  it('say what to do where no server has made an inbox, and tell no password', async () => {
    const url = planPostgresSchema().url
    const { code, stderr } = await runCli(['events', 'counts'], { env: { DATABASE_URL: url } })
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^error: There is no inbox in schema test_.*start the server once/),
    ])
    expect(stderr).not.toContain(new URL(inject('postgresUrl')).password || 'no password')
  })
})
