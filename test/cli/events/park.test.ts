import { hostname, userInfo } from 'node:os'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type EventsInbox, makeEventsInbox } from './inbox.ts'

let inbox: EventsInbox

beforeEach(async () => {
  inbox = await makeEventsInbox([
    { eventId: 'evt_dead', state: 'dead' },
    { eventId: 'evt_running', state: 'running', lane: '/x' },
    { eventId: 'evt_next', state: 'pending', lane: '/x' },
    { eventId: 'evt_pending', state: 'pending' },
  ])
})
afterEach(() => inbox.remove())

it('sets aside what waits and what runs, and says what becomes of a run', async () => {
  expect(await inbox.run('park', 'evt_running', 'evt_pending')).toEqual({
    code: 0,
    stdout: 'parked 2 entries\n',
    stderr: 'note: what still runs has lost its lease: how it ends is not recorded\n',
  })
  expect(await inbox.find('parked')).toEqual(['evt_pending', 'evt_running'])
  const opened = await inbox.open()
  const entry = (await opened.get('evt_running'))?.entry
  const [next] = await opened.claim({ limit: 1, leaseMs: 60_000 })
  await opened.close()
  expect(entry).toMatchObject({ reason: `parked by ${userInfo().username}@${hostname()}`, settledAt: expect.any(Date) })
  expect(next?.entry.eventId).toBe('evt_next')
})

it('leaves others alone, tells why, and ends with 1', async () => {
  const { code, stdout, stderr } = await inbox.run('park', 'evt_dead', 'evt_next', 'evt_unknown')
  expect({ code, stdout }).toEqual({ code: 1, stdout: 'parked 1 entry, 2 left alone\n' })
  expect(stderr).toContain('evt_dead left alone: it is dead\nevt_unknown left alone: no entry has this id\n')
  expect(await inbox.find('parked')).toEqual(['evt_next'])
})

it('tells of no run when nothing was parked', async () => {
  const { stderr } = await inbox.run('park', 'evt_dead')
  expect(stderr).toBe('evt_dead left alone: it is dead\n')
})
