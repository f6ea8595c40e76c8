import express from 'express'
import request from 'supertest'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createConsole } from '../../src/console/console.ts'
import { ReceiverError } from '../../src/errors.ts'
import { type EntryState, entryStates } from '../../src/event.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { FINISHED_NOTE, UNDELIVERED_NOTE } from '../../src/reconcile/schedule.ts'
import { captureLog } from '../support/log-lines.ts'
import { newEntry } from '../support/new-entry.ts'
import { openScratchInbox } from '../support/scratch-inbox.ts'
import { basic, PASSWORD } from './rig.ts'

let store: Awaited<ReturnType<typeof openScratchInbox>>
let captured: Awaited<ReturnType<typeof captureLog>>
beforeEach(async () => {
  store = await openScratchInbox()
  captured = await captureLog()
})
afterEach(() => store.remove())

/** A page of a console whose inbox does these things otherwise than the real one. */
async function show(path: string, otherwise: Partial<Inbox> = {}, { fault = undefined as string | undefined } = {}) {
  const { pages } = await createConsole({
    ...{ inbox: { ...store.inbox, ...otherwise }, log: captured.log, mode: 'live', password: PASSWORD, hosts: [] },
    ...{ isReadOnly: false, payloads: 'show', describeFault: () => fault, reconcileEveryMs: 900_000, targets: [] },
  })
  const answer = await request(express().use('/console', pages)).get(path).set('authorization', basic('ada'))
  const lines = Array.from(
    answer.text.matchAll(/<li class="(good|warn|bad)">(.*?)<\/li>/gs),
    ([, level, text = '']) => [
      level,
      text
        .replace(/<[^>]*>/g, '')
        .replace(/\s+/g, ' ')
        .trim(),
    ],
  )
  return {
    status: answer.status,
    text: answer.text,
    lines: Object.fromEntries(lines.map(([level, text = '']) => [text.split(' ')[1], `${level} ${text}`])),
  }
}

const down = () => Promise.reject(new ReceiverError('store_unavailable', 'The inbox cannot be used now: disk full.'))

it('a store that takes nothing is told, and the pages that it still lets read are there', async () => {
  const { status, lines } = await show('/console', { check: down, held: down })
  expect(status).toBe(200)
  expect(lines['Store:']).toMatch(/^bad act .*503.*The log tells why/)
})

it('a store that does not answer gives a page that says so, without what no one should see', async () => {
  const { status, text } = await show('/console/events', { search: down, held: down })
  expect(status).toBe(503)
  expect(text).toContain('The inbox cannot be used now: disk full.')
  expect(text).toContain('href="/console/failures"')
})

it('a bug gives a page that says nothing, and a line of the log that does', async () => {
  const { status, text } = await show('/console/events', { search: () => Promise.reject(new TypeError('of no use')) })
  expect(status).toBe(500)
  expect(text).not.toContain('of no use')
  expect(captured.lines()).toMatchObject([
    { err: { message: 'of no use' }, msg: 'a page of the console failed unexpectedly' },
  ])
})

it('what is due and waits is amber after a minute, red after ten', async () => {
  const waiting = (ms: number | null) => show('/console', { oldestPendingMs: async () => ms })
  expect((await waiting(null)).lines['Handling:']).toMatch(/^good fine/)
  expect((await waiting(59_999)).lines['Handling:']).toMatch(/^good fine/)
  expect((await waiting(60_000)).lines['Handling:']).toMatch(/^warn look .* 60 s\. Does a worker run/)
  expect((await waiting(600_000)).lines['Handling:']).toMatch(/^bad act/)
})

it('places that are all held, and a hold, are red', async () => {
  const full = await show('/console', {}, { fault: 'every place is held by a handler past its time limit' })
  expect(full.lines['Handling:']).toMatch(/^bad act Handling: every place is held .*a restart frees the places/)
  await store.inbox.hold({ who: 'grace', reason: null })
  const held = await show('/console')
  expect(held.lines['Handling:']).toMatch(/^bad act Handling: held\./)
  expect(held.text).toMatch(/role="alert">.*by grace for/s)
})

it("Stripe's side goes by what reconcile noted last", async () => {
  const noted = async (agoMs: number, undelivered: string) => {
    await store.inbox.writeNote(FINISHED_NOTE, new Date(Date.now() - agoMs).toISOString())
    await store.inbox.writeNote(UNDELIVERED_NOTE, undelivered)
    return (await show('/console')).lines['Stripe:']
  }
  expect(await noted(120_000, '0')).toMatch(/^good fine Stripe: asked 2 min ago; it had delivered everything\.$/)
  expect(await noted(120_000, '7')).toMatch(/^warn look .*7 events were undelivered\. They were fetched/)
  // Accounts where nothing happens are asked for once an hour.
  expect(await noted(110 * 60_000, '0')).toMatch(/^good fine /)
  expect(await noted(130 * 60_000, '0')).toMatch(/^bad act .*The log tells what keeps reconcile from ending/)
})

it('nothing is counted beyond 10,000', async () => {
  await store.inbox.add(newEntry())
  const counted = (pending: number) => {
    const counts = Object.fromEntries(entryStates.map((state) => [state, 1])) as Record<EntryState, number> // its keys are the states
    return show('/console/events?state=pending', { counts: async () => ({ ...counts, pending }) })
  }
  expect((await counted(10_000)).text).toContain('10,000, newest first')
  expect((await counted(10_001)).text).toContain('10,000+, newest first')
})

it('a search that looked at the newest entries alone says so, and goes on behind them', async () => {
  const { text } = await show('/console/events?reason=x', {
    search: async () => ({ entries: [], olderThan: 'evt_old' }),
  })
  expect(text).toContain('No entry matches among those that were looked at.')
  expect(text).toMatch(
    /The newest 100,000 entries were looked at\. <a href="\/console\/events\?reason=x&amp;before=evt_old"/,
  )
})
