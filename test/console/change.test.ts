import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { showPreview } from '../../src/console/pages/change.ts'
import type { EntryFilter, Inbox, Page, Summary } from '../../src/inbox/inbox.ts'
import { createLog } from '../../src/log.ts'
import { addDead, makeEventsInbox } from '../cli/events/inbox.ts'
import { launchBrowser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { newEntry } from '../support/new-entry.ts'
import { spawnServer } from '../support/spawn-server.ts'
import { expectFit, follow, openConsolePage } from './look.ts'
import { basic, type ConsoleRig, openConsole, PASSWORD } from './rig.ts'

const browser = await launchBrowser()
const HOSTILE = '<script>alert(1)</script>\u202e'

let rig: ConsoleRig
let inbox: Inbox
const park = (count: number, type: string, reason = 'for a test') =>
  Promise.all(Array.from({ length: count }, () => inbox.add(newEntry({ type, state: 'parked', reason }))))
const latest = async () => (await inbox.actions({ limit: 1 }))[0]

beforeAll(async () => {
  // Nothing runs what is asked for here.
  rig = await openConsole()
  inbox = rig.service.inbox
  await park(3, 'payout.failed')
  await park(2, HOSTILE, HOSTILE)
})
afterAll(async () => {
  await rig.close()
  await browser?.close()
})

const asked = { verb: 'drop', state: 'parked', type: 'payout.*' }
const preview = (query: Record<string, string> = asked) => rig.ask(`/console/change?${new URLSearchParams(query)}`)
const send = (to: ConsoleRig, form: Record<string, string>, headers: Record<string, string>) =>
  to.ask('/console/change', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(form).toString(),
  })
const post = (form: Record<string, string>, headers: Record<string, string> = { origin: rig.url }) =>
  send(rig, form, headers)
/** The fields that a page would send. */
const fieldsOf = (text: string) =>
  Object.fromEntries(
    Array.from(text.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g), ([, name, value]) => [name, value]),
  )

it('gives the command for an entry so that a shell takes its id for nothing else', async () => {
  const eventId = 'evt_1;$(id)'
  await inbox.add(newEntry({ eventId, type: 'quote.finalized', state: 'handled' }))
  const { text } = await rig.ask(`/console/event?${new URLSearchParams({ id: eventId })}`)
  expect(text).toContain('npm run events -- show &#39;evt_1;$(id)&#39;<')
})

it.each([
  [413, 'larger than 4 KB', {}, `verb=${'x'.repeat(5_000)}`],
  [415, 'of an unknown charset', { 'content-type': 'application/x-www-form-urlencoded; charset=klingon' }, 'verb=drop'],
  [415, 'compressed', { 'content-encoding': 'gzip' }, 'verb=drop'],
])('refuses with %i a form that is %s, as the fault of its sender', async (status, _name, headers, body) => {
  const before = rig.lines().length
  const type = { origin: rig.url, 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await rig.ask('/console/change', { method: 'POST', headers: { ...type, ...headers }, body })
  expect(answer).toMatchObject({ status, text: expect.stringContaining('4 KB at most, in UTF-8, not compressed') })
  expect(rig.lines().slice(before)).toEqual([])
})

it('shows what a change would take, and what was shown is what is asked for', async () => {
  const { text } = await preview()
  expect(text).toContain('>Drop 3 entries</button>')
  expect(text).toMatch(/class="number">3<\/td><td><span class="state parked">parked<\/span><\/td><td>payout.failed/)
  const form = fieldsOf(text)
  const shown = await inbox.list({ type: 'payout.*' }, { limit: 3 })
  const bounds = { newest: shown[0]?.eventId, oldest: shown[2]?.eventId }
  expect(form).toEqual({ ...asked, ...bounds, entries: '3' })
  await park(1, 'payout.later')
  const { status, headers } = await post({ ...form, perSecond: '50' })
  const action = await latest()
  expect({ status, to: headers.location }).toEqual({ status: 303, to: `/console/action?id=${action?.id}` })
  const facts = { who: 'ada', from: 'console', verb: 'drop', filter: 'state=parked&type=payout.*', perSecond: 50 }
  expect(action).toMatchObject({ state: 'running', facts: { ...facts, ...bounds, entries: 3 } })
})

it('is asked for once, however often the button is pressed', async () => {
  const form = fieldsOf((await preview({ ...asked, verb: 'replay' })).text)
  const first = await post(form)
  const second = await post(form)
  expect(second.headers.location).toBe(first.headers.location)
  expect((await post({ ...form, type: 'payout.failed' })).headers.location).not.toBe(first.headers.location)
})

it.each([
  ['a verb that there is not', { verb: 'park' }, 'replayed or dropped'],
  ['no filter', { state: '', type: '' }, 'nothing is done to everything'],
  ['a malformed filter', { state: 'gone' }, 'malformed: state'],
  ['bounds that are not here', { newest: 'evt_gone' }, 'Nothing of what was shown is there'],
  ['no bounds', { oldest: '' }, 'Nothing of what was shown is there'],
  ['no number', { entries: '0' }, 'Nothing of what was shown is there'],
  ['a rate that is none', { perSecond: '1.5' }, 'whole number from 1 to 10000'],
])('refuses %s', async (_what, wrong, told) => {
  const before = await latest()
  const { status, text } = await post({ ...fieldsOf((await preview()).text), ...wrong })
  expect({ status, text }).toEqual({ status: 400, text: expect.stringContaining(told) })
  expect(await latest()).toEqual(before)
})

it('has no button when nothing matches, and none for everything', async () => {
  const none = await preview({ ...asked, type: 'gone.*' })
  expect(none.text).toContain('Nothing that can be dropped matches')
  expect((await preview({ ...asked, state: 'handled' })).text).toContain('Nothing that can be dropped matches')
  expect(none.text).not.toContain('method="post"')
  expect((await preview({ verb: 'drop' })).status).toBe(400)
  expect((await rig.ask('/console/events')).text).not.toContain('/console/change')
  expect((await rig.ask('/console/events?type=payout.*')).text).toContain(
    '/console/change?verb=replay&amp;type=payout.*',
  )
})

it('is offered only where it can be done', async () => {
  await rig.service.inbox.add(newEntry({ type: 'offered.once' }))
  const { text } = await rig.ask('/console/events?state=pending&type=offered.once')
  expect(text).toContain('verb=replay')
  expect(text).not.toContain('verb=drop')
})

it('says so when what was handled would run again', async () => {
  const told = 'What was handled runs again'
  const other = await openConsole()
  await other.service.inbox.add(newEntry({ eventId: 'evt_handled' }))
  for (const lease of await other.service.inbox.claim({ limit: 1, leaseMs: 60_000 }))
    await other.service.inbox.settle(lease, { state: 'handled' })
  expect((await other.ask('/console/change?verb=replay&state=handled')).text).toContain(told)
  await other.close()
  expect((await preview({ ...asked, verb: 'replay' })).text).not.toContain(told)
})

it('says what was not looked at, and leads to it', async () => {
  const at = new Date()
  const group = { state: 'parked', type: 'a.b', reason: null, entries: 2, oldestAt: at, newestAt: at } as const
  const summary: Summary = { groups: [group], entries: 5, oldest: 'evt_1', newest: 'evt_2', olderThan: 'evt_1' }
  const summarize = vi.fn(async (_filter: EntryFilter, _page: Page) => summary)
  const partly = { ...inbox, summarize }
  const context = {
    inbox: partly,
    log: await createLog('silent'),
    mode: 'any',
    isReadOnly: false,
    payloads: 'show',
    describeFault: () => undefined,
    reconcileEveryMs: undefined,
    targets: [],
  } as const
  const query = new URLSearchParams({ verb: 'replay', reason: 'x', before: 'evt_3' })
  const { body } = await showPreview({
    context,
    operator: 'ada',
    query,
    form: new URLSearchParams(),
    hold: null,
    hasTargets: false,
  })
  expect(summarize.mock.lastCall?.[1]).toMatchObject({ before: 'evt_3' })
  expect(String(body)).toContain('Only the newest 100,000 entries before that were looked at')
  expect(String(body)).toContain('href="/console/change?verb=replay&amp;reason=x&amp;before=evt_1"')
  expect(String(body)).toContain('More are in smaller groups')
})

it('is taken from the own pages alone, and not when the console only shows', async () => {
  const form = fieldsOf((await preview()).text)
  const before = await latest()
  for (const headers of [{}, { 'sec-fetch-site': 'cross-site' }, { origin: 'http://foreign.example' }])
    expect((await post(form, headers)).status).toBe(403)
  const only = await openConsole({ CONSOLE_READ_ONLY: '1' })
  const entry = newEntry({ type: 'payout.failed', state: 'parked', reason: 'x' })
  await only.service.inbox.add(entry)
  const own = { ...form, newest: entry.eventId, oldest: entry.eventId, entries: '1' }
  expect((await send(only, own, { origin: only.url })).status).toBe(403)
  expect(await only.service.inbox.actions({ limit: 1 })).toEqual([])
  for (const path of [`change?${new URLSearchParams(asked)}`, 'events?state=parked', 'failures']) {
    const { status, text } = await only.ask(`/console/${path}`)
    expect({ status, path, posts: text.includes('method="post"') }).toEqual({ status: 200, path, posts: false })
  }
  await only.close()
  expect(await latest()).toEqual(before)
})

it('goes on over a restart', async () => {
  const events = await makeEventsInbox([])
  const opened = await events.open()
  await addDead(opened, 40)
  const folder = events.path.replace(/inbox\.db$/, '')
  const start = () => spawnServer({ folder, env: { ...events.env, CONSOLE_PASSWORD: PASSWORD } })
  const first = await start()
  const headers = {
    authorization: basic('ann'),
    origin: first.adminUrl,
    'content-type': 'application/x-www-form-urlencoded',
  }
  const page = await fetch(`${first.adminUrl}/console/change?verb=replay&state=dead`, { headers })
  const body = new URLSearchParams({ ...fieldsOf(await page.text()), perSecond: '20' })
  await fetch(`${first.adminUrl}/console/change`, { method: 'POST', headers, body, redirect: 'manual' })
  const find = async () => (await opened.actions({ limit: 1 }))[0]
  await eventually('the first ones', async () => ((await find())?.facts.changed ?? 0) > 0)
  first.kill('SIGTERM')
  await first.exited
  expect(await find()).toMatchObject({ state: 'running' })
  const second = await start()
  const done = await eventually(
    'the rest',
    async () => {
      const action = await find()
      return action?.state === 'done' && action.facts
    },
    40_000,
  )
  expect((done.changed ?? 0) + (done.leftAlone ?? 0)).toBeGreaterThanOrEqual(40)
  expect((await opened.counts()).dead).toBe(0)
  second.kill('SIGTERM')
  await second.exited
  await opened.close()
  await events.remove()
})

describe.skipIf(browser === undefined)('in a browser', () => {
  if (browser === undefined) return

  it('the preview fits, and shows markup as text', async () => {
    const page = await openConsolePage(
      browser,
      rig,
      `/console/change?${new URLSearchParams({ verb: 'replay', state: 'parked' })}`,
    )
    await expectFit(page)
    await page.getByText(`<script>alert(1)</script>\\u202e`).first().waitFor()
  })

  it('all that match are replayed by the keyboard alone, with progress', async () => {
    const all = await openConsole({}, { map: {} })
    for (let n = 0; n < 3; n += 1)
      await all.service.inbox.add(newEntry({ type: 'payout.failed', state: 'parked', reason: 'x' }))
    const page = await openConsolePage(browser, all, '/console/events?type=payout.*')
    await page.keyboard.press('r')
    await follow(page, () => page.keyboard.press('Enter'))
    await page.getByRole('heading', { name: 'Replay what matches' }).waitFor()
    await page.keyboard.press('r')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Replay 3 entries')
    await follow(page, () => page.keyboard.press('Enter'))
    await page.getByText('done 3 changed').waitFor()
    expect((await all.service.inbox.counts()).parked).toBe(0)
    await all.close()
  })

  it('a group of failures is replayed as one', async () => {
    const failing = await openConsole()
    await addDead(failing.service.inbox, 2)
    const page = await openConsolePage(browser, failing, '/console/failures')
    await expectFit(page)
    await page.keyboard.press('j')
    await page.keyboard.press('r')
    await follow(page, () => page.keyboard.press('Enter'))
    await page.getByRole('button', { name: 'Replay 2 entries' }).waitFor()
    expect(new URL(page.url()).search).toBe('?verb=replay&state=dead&type=payment_intent.succeeded&reason=gave+up')
    await failing.close()
  })
})
