import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser } from '../support/browser.ts'
import { expectFit, follow, openConsolePage } from './look.ts'
import { type ConsoleRig, openConsole } from './rig.ts'

const browser = await launchBrowser()
const HOSTILE = '<img src=x onerror=alert(1)>\u202e</pre>'

let rig: ConsoleRig
let running: number
const record = (state: 'running' | 'done', verb: string, facts = {}) =>
  rig.service.inbox.recordAction(state, { who: 'ann', from: 'console', verb, ...facts })
const find = async (id: number) => (await rig.service.inbox.actions({ limit: 1, before: id + 1 }))[0]

beforeAll(async () => {
  rig = await openConsole()
  for (let n = 0; n < 60; n += 1) await record('done', `step ${n}`)
  running = await record('running', 'replay', { filter: 'type=payout.*&since=2h', entries: 1_234, changed: 100 })
  await record('done', 'hold', { reason: HOSTILE, who: HOSTILE, from: 'command' })
  await record('done', 'replay', { eventIds: ['evt_a', HOSTILE], entries: 7, changed: 1, leftAlone: 6 })
})
afterAll(async () => {
  await rig.close()
  await browser?.close()
})

const post = (path: string, headers: Record<string, string> = { origin: rig.url }) =>
  rig.ask(path, { method: 'POST', headers })

it('tells what runs first, then the newest, page by page', async () => {
  const { text } = await rig.ask('/console/actions')
  const told = text.match(/(?<=data-row href="[^"]*">)[^<]+/g) ?? []
  expect(told.slice(0, 4)).toEqual(['replay', 'hold', 'replay', 'step 59'])
  expect(text.indexOf('Running')).toBeLessThan(text.indexOf('Newest first'))
  expect(text).toContain('1 changed, 6 left alone')
  expect(text).not.toContain('<img')
  const older = text.match(/href="(\/console\/actions\?before=\d+)" rel="next"/)?.[1] ?? ''
  const next = await rig.ask(older)
  expect(next.text.match(/step \d+/g)).toEqual(Array.from({ length: 13 }, (_, n) => `step ${12 - n}`))
  expect(next.text).not.toContain('<h2>Running')
})

it('leads to the events that were meant, those of that time', async () => {
  const { text } = await rig.ask(`/console/action?id=${running}`)
  const at = (await find(running))?.at.getTime() ?? 0
  const since = new Date(at - 2 * 3_600_000).toISOString()
  expect(text).toContain(`href="/console/events?type=payout.*&amp;since=${encodeURIComponent(since)}"`)
})

it('says so when there is none of that number', async () => {
  for (const id of ['999999', 'x', '', '-1', '1e300'])
    expect((await rig.ask(`/console/action?id=${id}`)).status).toBe(404)
  expect((await post('/console/cancel?id=x')).headers.location).toBe('/console/actions')
})

describe('a cancel', () => {
  it('is taken from the own pages alone, and not when the console only shows', async () => {
    const path = `/console/cancel?id=${running}`
    expect((await post(path, {})).status).toBe(403)
    expect((await post(path, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    const only = await openConsole({ CONSOLE_READ_ONLY: '1' })
    const id = await only.service.inbox.recordAction('running', { who: 'ann', from: 'console', verb: 'replay' })
    const headers = { origin: only.url }
    expect((await only.ask(`/console/cancel?id=${id}`, { method: 'POST', headers })).status).toBe(403)
    for (const page of ['actions', `action?id=${id}`])
      expect((await only.ask(`/console/${page}`)).text).not.toContain('method="post"')
    expect(await only.service.inbox.actions({ limit: 2 })).toMatchObject([{ state: 'running' }])
    await only.close()
    expect(await find(running)).toMatchObject({ state: 'running' })
  })

  it('of what has ended changes nothing', async () => {
    const id = await record('done', 'replay', { changed: 3 })
    expect((await post(`/console/cancel?id=${id}`)).headers.location).toBe(`/console/action?id=${id}`)
    expect((await rig.service.inbox.actions({ limit: 1 }))[0]?.id).toBe(id)
  })
})

describe.skipIf(browser === undefined)('in a browser', () => {
  if (browser === undefined) return

  it('the page fits, and shows markup as text', async () => {
    const page = await openConsolePage(browser, rig, '/console/actions')
    await expectFit(page)
    await page.getByText('\\u202e</pre>').first().waitFor()
    expect(await page.locator('main img').count()).toBe(0)
  })

  it('what runs goes on by itself, and ends by the keyboard alone', async () => {
    const id = await record('running', 'drop', { filter: 'state=dead', entries: 500, changed: 1, perSecond: 9 })
    const page = await openConsolePage(browser, rig, `/console/action?id=${id}`)
    await expectFit(page)
    const facts = (await find(id))?.facts
    if (facts === undefined) throw new Error('it is gone')
    await rig.service.inbox.updateAction(id, 'running', { ...facts, changed: 250 })
    await page.getByText('250 of 500 changed').waitFor()
    await page.getByRole('button', { name: 'Cancel the drop' }).focus()
    await rig.service.inbox.updateAction(id, 'running', { ...facts, changed: 300 })
    await page.getByText('300 of 500 changed').waitFor()
    await follow(page, () => page.keyboard.press('Enter'))
    await page.getByText('cancelled 300 of 500 changed').waitFor()
    expect(await page.getByRole('button', { name: 'Cancel the drop' }).count()).toBe(0)
    expect(await rig.service.inbox.actions({ limit: 1 })).toMatchObject([
      { facts: { who: 'ada', verb: `cancel ${id}` } },
    ])
  })

  it('what ends elsewhere loses its button', async () => {
    const page = await openConsolePage(browser, rig, `/console/action?id=${running}`)
    await rig.service.inbox.updateAction(running, 'done')
    await page.getByRole('button', { name: 'Cancel the replay' }).waitFor({ state: 'detached' })
    expect(await page.title()).toContain('replay, done')
  })
})
