import { afterEach, beforeEach, expect, it } from 'vitest'
import { ReceiverError } from '../../src/errors.ts'
import type { Action } from '../../src/inbox/actions.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { createLog } from '../../src/log.ts'
import { cancelChange, previewChange, requestChange, startChangeRunner } from '../../src/operations/run-changes.ts'
import type { Repeating } from '../../src/repeat.ts'
import { addDead } from '../cli/events/inbox.ts'
import { eventually } from '../support/eventually.ts'
import { newEntry } from '../support/new-entry.ts'
import { openScratchInbox } from '../support/scratch-inbox.ts'

const actor = { who: 'ann', from: 'console' } as const
const dead = { state: 'dead' }
const log = await createLog('silent')

let inbox: Inbox
let remove: () => Promise<void>
let runner: Repeating | undefined

beforeEach(async () => {
  const opened = await openScratchInbox()
  inbox = opened.inbox
  remove = opened.remove
})
afterEach(async () => {
  await runner?.stop()
  runner = undefined
  await remove()
})

const start = (from = inbox) => {
  runner = startChangeRunner({ inbox: from, log }, 5)
  return runner
}

async function request(choice = dead, perSecond?: number): Promise<number> {
  const preview = await previewChange(inbox, 'replay', choice)
  return requestChange(inbox, { ...actor, verb: 'replay', choice, preview, ...(perSecond && { perSecond }) })
}

const find = async (id: number) => (await inbox.actions({ limit: 10 })).find((action) => action.id === id)
const ended = (id: number): Promise<Action> =>
  eventually('the change to end', async () => {
    const action = await find(id)
    return action?.state === 'running' ? undefined : action
  })

it('changes what was shown, and nothing that came since', async () => {
  await addDead(inbox, 450)
  const shown = await previewChange(inbox, 'replay', dead)
  expect(shown).toMatchObject({
    entries: 450,
    newest: 'evt_449',
    oldest: 'evt_0',
    groups: [{ state: 'dead', entries: 450 }],
  })
  const later = newEntry({ eventId: 'evt_later', state: 'parked' })
  const choice = { state: 'dead,parked' }
  const preview = await previewChange(inbox, 'replay', choice)
  await inbox.add(later)
  const id = await requestChange(inbox, { ...actor, verb: 'replay', choice, preview })
  start()
  expect(await ended(id)).toMatchObject({
    state: 'done',
    facts: { ...actor, verb: 'replay', filter: 'state=dead%2Cparked', entries: 450, changed: 450, leftAlone: 0 },
  })
  expect(await inbox.counts()).toMatchObject({ pending: 450, dead: 0, parked: 1 })
})

it('means the states that a change means, when the choice names none', async () => {
  await addDead(inbox, 1)
  const handled = newEntry()
  await inbox.add(handled)
  for (const lease of await inbox.claim({ limit: 1, leaseMs: 60_000 })) await inbox.settle(lease, { state: 'handled' })
  const choice = { type: 'payment_intent.*' }
  expect((await previewChange(inbox, 'replay', choice)).entries).toBe(1)
  const preview = await previewChange(inbox, 'drop', choice)
  const id = await requestChange(inbox, { ...actor, verb: 'drop', choice, preview })
  start()
  expect(await ended(id)).toMatchObject({ facts: { changed: 1 } })
  expect((await inbox.get('evt_0'))?.entry).toMatchObject({ state: 'handled', reason: 'dropped by ann' })
  expect((await inbox.get(handled.eventId))?.entry.reason).toBeNull()
})

it('goes on where a process stopped that had it', async () => {
  await addDead(inbox, 450)
  const id = await request()
  const seen: number[] = []
  const first = start({
    ...inbox,
    async replay(eventIds, states) {
      const taken = await inbox.replay(eventIds, states)
      seen.push(taken.length)
      void first.stop()
      return taken
    },
  })
  await eventually('the first chunk', () => seen.length > 0)
  await first.stop()
  expect(await find(id)).toMatchObject({ state: 'running', facts: { changed: seen[0] } })
  start()
  expect(await ended(id)).toMatchObject({ state: 'done', facts: { changed: 450, leftAlone: 0 } })
  expect((await inbox.counts()).pending).toBe(450)
})

it('waits while the store is away, and goes on', async () => {
  await addDead(inbox, 3)
  const id = await request()
  let tries = 0
  const failing = {
    ...inbox,
    async actions(page: Parameters<Inbox['actions']>[0]) {
      tries += 1
      if (tries === 1) throw new ReceiverError('store_unavailable', 'away')
      return inbox.actions(page)
    },
  }
  runner = startChangeRunner({ inbox: failing, log }, 5, 5)
  expect(await ended(id)).toMatchObject({ state: 'done' })
})

it('fails, and says so, by a fault of its own', async () => {
  await addDead(inbox, 3)
  const id = await request()
  start({ ...inbox, replay: () => Promise.reject(new TypeError('a bug')) })
  expect(await ended(id)).toMatchObject({ state: 'failed', facts: { changed: 0, error: 'the log has the cause' } })
})

it('ends when somebody cancels it, which is recorded', async () => {
  await addDead(inbox, 10)
  const id = await request(dead, 1)
  start()
  await eventually('the first to be replayed', async () => ((await find(id))?.facts.changed ?? 0) > 0)
  expect(await cancelChange(inbox, id, actor)).toBe(true)
  expect(await cancelChange(inbox, id, actor)).toBe(false)
  await runner?.stop()
  expect(await find(id)).toMatchObject({ state: 'cancelled' })
  expect((await inbox.counts()).dead).toBeGreaterThan(0)
  expect(await inbox.actions({ limit: 1 })).toMatchObject([{ facts: { ...actor, verb: `cancel ${id}` } }])
})

it('takes at most so many at a time as it may in a second', async () => {
  await addDead(inbox, 6)
  const id = await request(dead, 100)
  const chunks: number[] = []
  const spied: Inbox = {
    ...inbox,
    replay(eventIds, states) {
      chunks.push(eventIds.length)
      return inbox.replay(eventIds, states)
    },
  }
  const slow = await request(dead, 2)
  await cancelChange(inbox, id, actor)
  start(spied)
  await eventually('two chunks', () => chunks.length >= 2)
  await cancelChange(inbox, slow, actor)
  expect(Math.max(...chunks)).toBeLessThanOrEqual(3)
})

it('refuses a change of nothing', async () => {
  const preview = await previewChange(inbox, 'replay', dead)
  expect(() => requestChange(inbox, { ...actor, verb: 'replay', choice: dead, preview })).toThrow(/nothing to change/)
})
