import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { makeScratch } from '../support/scratch.ts'
import { findCheckouts, withInbox } from './checkout.ts'
import { createFilledInboxes } from './filled-inboxes.ts'
import { createPlan } from './plan.ts'
import { BUSY_ACCOUNT, customerOf } from './varied-entries.ts'

const COUNT = 20_000

let scratch: Awaited<ReturnType<typeof makeScratch>>

beforeEach(async () => {
  scratch = await makeScratch()
})

afterEach(() => scratch.remove())

it.for(['sqlite', 'postgres'] as const)('fills %s with what a server has after some time', async (store) => {
  const checkouts = findCheckouts()
  const plan = { ...createPlan({ only: [], rounds: 1, seconds: 1, quick: true }), filledEntries: COUNT }
  const context = { plan, checkouts, scratch: scratch.path, postgresUrl: inject('postgresUrl'), say: () => undefined }
  await using filled = createFilledInboxes({ ...context, slowSyncLibrary: undefined })
  const { url } = await filled.get(checkouts.this, store)
  await withInbox(checkouts.this, url, 'command', async (inbox) => {
    const { pending, running, handled, unhandled, parked, dead } = await inbox.counts()
    // Beside the copies there are the templates.
    expect(pending + handled + unhandled + dead).toBe(COUNT + 13)
    expect([running, parked]).toEqual([0, 0])
    expect([dead, pending, unhandled].map((count) => Math.round((count * 1_000) / COUNT))).toEqual([1, 1, 10])
    expect(await inbox.oldestPendingMs()).toBeNull()
    const failing = await inbox.summarize({ isFailing: true }, { limit: 100 })
    expect(failing.groups.map(({ state }) => state).sort()).toEqual([
      'dead',
      'dead',
      'dead',
      'dead',
      'pending',
      'pending',
    ])
    const ofBusy = await inbox.summarize({ account: BUSY_ACCOUNT }, { limit: 100 })
    expect(ofBusy.entries).toBe(COUNT / 10)
    expect((await inbox.accounts()).length).toBe(1_000)
    const [last] = await inbox.list({ receivedWithinMs: 3_600_000 }, { limit: 1 })
    expect(last && (await inbox.get(last.eventId))?.body).toBeNull()
    const [broken] = await inbox.list({ states: ['dead'] }, { limit: 1 })
    expect(broken && (await inbox.get(broken.eventId))?.body?.length).toBe(3_072)
    const customers = await Promise.all(
      [0, 1, 2, 3, 4].map((number) => inbox.list({ value: customerOf(number) }, { limit: 100 })),
    )
    expect(customers.flat().length).toBeGreaterThan(0)
  })
})
