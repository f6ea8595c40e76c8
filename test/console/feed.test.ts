import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createFeed } from '../../src/console/feed.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { newEntry } from '../support/new-entry.ts'
import { openScratchInbox } from '../support/scratch-inbox.ts'

let inbox: Inbox
let remove: () => Promise<void>
let clock: number
beforeEach(async () => {
  const opened = await openScratchInbox()
  inbox = opened.inbox
  remove = opened.remove
  clock = Date.parse('2026-11-21T10:00:00.500Z')
})
afterEach(() => remove())

const add = (count: number, facts = {}) => Promise.all(Array.from({ length: count }, () => inbox.add(newEntry(facts))))

it('tells what arrived and what became of it, each once', async () => {
  const feed = createFeed(inbox)
  await inbox.add(newEntry({ eventId: 'evt_1', type: 'a.b\u202e' }))
  await feed.look()
  await inbox.add(newEntry({ eventId: 'evt_2' }))
  await feed.look()
  const { lines, number } = feed.since(0)
  expect(lines).toMatchObject([
    { key: 'evt_1', state: 'pending', what: 'a.b\\u202e', url: '/console/event?id=evt_1', note: '' },
    { key: 'evt_2', state: 'pending' },
  ])
  await feed.look()
  expect(feed.since(number)).toEqual({ lines: [], number })
  const [lease] = await inbox.claim({ limit: 1, leaseMs: 60_000 })
  if (lease === undefined) throw new Error('nothing was due')
  await inbox.settle(lease, { state: 'dead', error: 'first line\nsecond' })
  await feed.look()
  expect(feed.since(number).lines).toMatchObject([{ key: 'evt_1', state: 'dead', note: 'first line' }])
  expect(feed.since(0).lines.map(({ key }) => key)).toEqual(['evt_1', 'evt_2'])
})

it('tells what this process settled, and keeps to it when the store tells the same', async () => {
  const feed = createFeed(inbox)
  await inbox.add(newEntry({ eventId: 'evt_1' }))
  await feed.look()
  const [lease] = await inbox.claim({ limit: 1, leaseMs: 60_000 })
  if (lease === undefined) throw new Error('nothing was due')
  await inbox.settle(lease, { state: 'handled' })
  feed.onAttemptEnded(lease, { state: 'handled' }, 12.3)
  await feed.look()
  expect(feed.since(0).lines).toMatchObject([{ key: 'evt_1', state: 'handled', note: 'in 12 ms by this process' }])
  await inbox.replay(['evt_1'])
  await feed.look()
  expect(feed.since(0).lines).toMatchObject([{ key: 'evt_1', state: 'pending', note: '' }])
})

it('tells refusals by code and route, those of a second as one', () => {
  const feed = createFeed(inbox, () => clock)
  for (let n = 0; n < 3; n += 1) feed.onRefused('account', 400, 'signature_mismatch')
  feed.onRefused('connect', 400, 'signature_mismatch')
  clock += 1_000
  feed.onRefused('account', 400, 'signature_mismatch')
  const { lines } = feed.since(0)
  const refused = { state: 'refused', what: 'signature_mismatch', url: '' }
  expect(lines).toMatchObject([
    { ...refused, at: '2026-11-21T10:00:00.500Z', id: '/webhook', note: 'answered 400 by this process, 3 requests' },
    { ...refused, id: '/webhook/connect', note: 'answered 400 by this process' },
    { ...refused, at: '2026-11-21T10:00:01.500Z', id: '/webhook', note: 'answered 400 by this process' },
  ])
})

it('keeps the newest, and a flood of the one leaves the other', async () => {
  const feed = createFeed(inbox, () => clock)
  await add(150)
  await feed.look()
  expect(feed.since(0).lines).toHaveLength(100)
  for (let n = 0; n < 1_000; n += 1) {
    clock += 1_000
    feed.onRefused('none', 400, 'request_malformed')
  }
  const { lines } = feed.since(0)
  expect(lines.filter(({ state }) => state === 'refused')).toHaveLength(200)
  expect(lines.filter(({ state }) => state === 'pending')).toHaveLength(100)
})

it('says when more arrived than it shows', async () => {
  const feed = createFeed(inbox)
  await add(1)
  await feed.look()
  await add(99)
  await feed.look()
  const { lines, number } = feed.since(0)
  expect(lines.some(({ state }) => state === 'note')).toBe(false)
  await add(100)
  await feed.look()
  expect(feed.since(number).lines[0]).toMatchObject({ state: 'note', what: 'more arrived than are shown' })
})

it('asks the store once for all who look at the same time', async () => {
  const list = vi.fn(async () => [])
  const feed = createFeed({ list })
  await Promise.all([feed.look(), feed.look()])
  expect(list).toHaveBeenCalledTimes(1)
  await feed.look()
  expect(list).toHaveBeenCalledTimes(2)
})
