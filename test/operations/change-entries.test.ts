import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ReceiverError } from '../../src/errors.ts'
import type { Outcome } from '../../src/event.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { changeEntries, rehearseChange } from '../../src/operations/change-entries.ts'
import { dropBy, parkBy, replay } from '../../src/operations/changes.ts'
import { addDead, settleAllDead } from '../cli/events/inbox.ts'
import { eventually } from '../support/eventually.ts'
import { newEntry } from '../support/new-entry.ts'
import { openScratchInbox } from '../support/scratch-inbox.ts'

let inbox: Inbox
let remove: () => Promise<void>

beforeEach(async () => {
  const opened = await openScratchInbox()
  inbox = opened.inbox
  remove = opened.remove
})
afterEach(() => remove())

/** The inbox, with a look at each chunk before or after it is replayed. */
function spyOn({ before, after }: { before?: (ids: readonly string[]) => void; after?: () => Promise<void> }): Inbox {
  return {
    ...inbox,
    async replay(eventIds, states) {
      before?.(eventIds)
      const taken = await inbox.replay(eventIds, states)
      await after?.()
      return taken
    },
  }
}

it.each(['filter', 'ids'])('replays in chunks of at most 200, each entry once, by %s', async (by) => {
  const eventIds = await addDead(inbox, 1_050)
  const chunks: (readonly string[])[] = []
  const told: number[] = []
  const selection = by === 'ids' ? { eventIds: [...eventIds, ...eventIds] } : { filter: { states: ['dead' as const] } }
  const result = await changeEntries(spyOn({ before: (ids) => void chunks.push(ids) }), replay, selection, (count) =>
    told.push(count),
  )
  expect(result).toEqual({ changed: 1_050, leftAlone: [] })
  expect(chunks.map((chunk) => chunk.length)).toEqual([200, 200, 200, 200, 200, 50])
  expect(new Set(chunks.flat()).size).toBe(1_050)
  expect(told).toEqual([200, 400, 600, 800, 1_000, 1_050])
  expect(await inbox.counts()).toMatchObject({ pending: 1_050, dead: 0 })
})

it('ends although a server settles the entries again at once, and others arrive', async () => {
  await addDead(inbox, 450)
  const after = async () => {
    await inbox.add(newEntry())
    await settleAllDead(inbox)
  }
  const result = await changeEntries(spyOn({ after }), replay, { filter: { states: ['dead'] } })
  expect(result).toEqual({ changed: 450, leftAlone: [] })
  expect(await inbox.counts()).toMatchObject({ pending: 0, dead: 453 })
})

it('leaves alone what a server handled after it was listed', async () => {
  await inbox.add(newEntry({ eventId: 'evt_due' }))
  const [lease] = await inbox.claim({ limit: 1, leaseMs: 60_000 })
  if (lease === undefined) throw new Error('nothing was due')
  await inbox.settle(lease, { state: 'pending', retryInMs: 0, error: 'not yet' })
  await inbox.add(newEntry({ eventId: 'evt_waiting' }))
  const handle = async () => {
    const [due] = await eventually('it to be due', async () => {
      const leases = await inbox.claim({ limit: 1, leaseMs: 60_000 })
      return leases.length > 0 && leases
    })
    expect(due && (await inbox.settle(due, { state: 'handled' }))).toBe(true)
  }
  const list: Inbox['list'] = async (filter, page) => {
    const listed = await inbox.list(filter, page)
    if (page.before === undefined) await handle()
    return listed
  }
  const result = await changeEntries({ ...inbox, list }, replay, { filter: { type: '*' } })
  expect(result).toMatchObject({ changed: 1, leftAlone: [{ obstacle: 'handled' }] })
  expect(await inbox.counts()).toMatchObject({ handled: 1, pending: 1 })
})

it('leaves alone what was answered in its delivery, and says so', async () => {
  await inbox.add(newEntry({ eventId: 'evt_asked', state: 'handled' }))
  const expected = [{ eventId: 'evt_asked', obstacle: 'answered' }]
  for (const selection of [{ eventIds: ['evt_asked'] }, { filter: { states: ['handled' as const] } }]) {
    expect(await rehearseChange(inbox, replay, selection)).toEqual({ changed: 0, leftAlone: expected, groups: [] })
    expect(await changeEntries(inbox, replay, selection)).toEqual({ changed: 0, leftAlone: expected })
  }
})

it('says how many were replayed before the store failed', async () => {
  await addDead(inbox, 500)
  let calls = 0
  const before = () => {
    calls += 1
    if (calls === 3) throw new ReceiverError('store_unavailable', 'The inbox cannot be used now: locked.')
  }
  await expect(changeEntries(spyOn({ before }), replay, { filter: { states: ['dead'] } })).rejects.toMatchObject({
    code: 'store_unavailable',
    message: 'The inbox cannot be used now: locked. Entries replayed before that: 400.',
  })
  expect(await inbox.counts()).toMatchObject({ pending: 400, dead: 100 })
})

it('rehearses without a single write', async () => {
  await addDead(inbox, 250)
  await inbox.add(newEntry({ type: 'payout.failed' }))
  const before = () => {
    throw new Error('a rehearsal replays nothing')
  }
  expect(await rehearseChange(spyOn({ before }), replay, { filter: { type: 'p*' } })).toEqual({
    changed: 251,
    leftAlone: [],
    groups: [
      { state: 'dead', type: 'payment_intent.succeeded', entries: 250 },
      { state: 'pending', type: 'payout.failed', entries: 1 },
    ],
  })
  expect(await inbox.counts()).toMatchObject({ pending: 1, dead: 250 })
})

/** One entry in each state, whose id tells it. */
async function addOneOfEach(): Promise<void> {
  const outcomes: Outcome[] = [{ state: 'handled' }, { state: 'unhandled' }, { state: 'dead', error: 'gave up' }]
  for (const outcome of outcomes) {
    await inbox.add(newEntry({ eventId: `evt_${outcome.state}` }))
    const [lease] = await inbox.claim({ limit: 1, leaseMs: 60_000 })
    if (lease !== undefined) await inbox.settle(lease, outcome)
  }
  await inbox.add(newEntry({ eventId: 'evt_parked', state: 'parked', reason: 'test event' }))
  await inbox.add(newEntry({ eventId: 'evt_running' }))
  await inbox.claim({ limit: 1, leaseMs: 60_000 })
  await inbox.add(newEntry({ eventId: 'evt_pending' }))
}

const ALL = ['dead', 'handled', 'parked', 'pending', 'running', 'unhandled']

describe.each([
  {
    change: replay,
    byFilter: ['dead', 'parked', 'pending', 'unhandled'],
    byIds: ALL.filter((state) => state !== 'running'),
  },
  { change: dropBy('ann@host'), byFilter: ['dead', 'parked', 'unhandled'], byIds: ['dead', 'parked', 'unhandled'] },
  { change: parkBy('ann@host'), byFilter: ['pending', 'running'], byIds: ['pending', 'running'] },
])('$change.verb', ({ change, byFilter, byIds }) => {
  const filter = { type: '*' }
  const eventIds = ALL.map((state) => `evt_${state}`)
  beforeEach(addOneOfEach)

  it('takes what a filter without states means', async () => {
    expect(await changeEntries(inbox, change, { filter })).toEqual({ changed: byFilter.length, leftAlone: [] })
  })

  it('takes the named ones in which it can be done, and tells the state of the others', async () => {
    const leftAlone = ALL.filter((state) => !byIds.includes(state)).map((state) => ({
      eventId: `evt_${state}`,
      obstacle: state,
    }))
    expect(await rehearseChange(inbox, change, { eventIds })).toMatchObject({ changed: byIds.length, leftAlone })
    expect(await changeEntries(inbox, change, { eventIds })).toEqual({ changed: byIds.length, leftAlone })
  })

  it('rehearses just that', async () => {
    const groups = byFilter.map((state) => ({ state, type: newEntry().type, entries: 1 }))
    const rehearsed = await rehearseChange(inbox, change, { filter })
    expect(rehearsed).toEqual({ changed: byFilter.length, leftAlone: [], groups: expect.arrayContaining(groups) })
    expect(rehearsed.groups).toHaveLength(groups.length)
  })
})

it('a drop and a park record who did it', async () => {
  await addOneOfEach()
  await changeEntries(inbox, dropBy('ann@host'), { eventIds: ['evt_dead'] })
  await changeEntries(inbox, parkBy('ann@host'), { eventIds: ['evt_running'] })
  const entryOf = async (eventId: string) => (await inbox.get(eventId))?.entry
  expect(await entryOf('evt_dead')).toMatchObject({ state: 'handled', reason: 'dropped by ann@host' })
  expect(await entryOf('evt_running')).toMatchObject({ state: 'parked', reason: 'parked by ann@host' })
})
