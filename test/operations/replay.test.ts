import { afterEach, beforeEach, expect, it } from 'vitest'
import { ReceiverError } from '../../src/errors.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { rehearseReplay, replayEntries } from '../../src/operations/replay.ts'
import { addDead, settleAllDead } from '../cli/events/inbox.ts'
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
    async replay(eventIds) {
      before?.(eventIds)
      const taken = await inbox.replay(eventIds)
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
  const result = await replayEntries(spyOn({ before: (ids) => void chunks.push(ids) }), selection, (count) =>
    told.push(count),
  )
  expect(result).toEqual({ replayed: 1_050, leftAlone: [] })
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
  const result = await replayEntries(spyOn({ after }), { filter: { states: ['dead'] } })
  expect(result).toEqual({ replayed: 450, leftAlone: [] })
  expect(await inbox.counts()).toMatchObject({ pending: 0, dead: 453 })
})

it('leaves alone what was running when it was listed, even if it settles meanwhile', async () => {
  await inbox.add(newEntry({ eventId: 'evt_running' }))
  const [lease] = await inbox.claim({ limit: 1, leaseMs: 60_000 })
  await inbox.add(newEntry({ eventId: 'evt_waiting' }))
  const before = (): void => {
    if (lease !== undefined) void inbox.settle(lease, { state: 'handled' })
  }
  const result = await replayEntries(spyOn({ before }), { filter: { type: '*' } })
  expect(result).toEqual({ replayed: 1, leftAlone: [{ eventId: 'evt_running', obstacle: 'running' }] })
  expect((await inbox.get('evt_running'))?.entry.state).toBe('handled')
})

it('says how many were replayed before the store failed', async () => {
  await addDead(inbox, 500)
  let calls = 0
  const before = () => {
    calls += 1
    if (calls === 3) throw new ReceiverError('store_unavailable', 'The inbox cannot be used now: locked.')
  }
  await expect(replayEntries(spyOn({ before }), { filter: { states: ['dead'] } })).rejects.toMatchObject({
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
  expect(await rehearseReplay(spyOn({ before }), { filter: { type: 'p*' } })).toEqual({
    replayed: 251,
    leftAlone: [],
    groups: [
      { state: 'dead', type: 'payment_intent.succeeded', entries: 250 },
      { state: 'pending', type: 'payout.failed', entries: 1 },
    ],
  })
  expect(await inbox.counts()).toMatchObject({ pending: 1, dead: 250 })
})
