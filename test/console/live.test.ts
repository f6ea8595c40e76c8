import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { launchBrowser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { newEntry } from '../support/new-entry.ts'
import { expectFit, openConsolePage } from './look.ts'
import { basic, type ConsoleRig, openConsole } from './rig.ts'

const browser = await launchBrowser()
const HOSTILE = '<img src=x onerror=alert(1)>\u202e'

let rig: ConsoleRig
let inbox: Inbox
beforeAll(async () => {
  rig = await openConsole()
  inbox = rig.service.inbox
})
afterAll(async () => {
  await rig.close()
  await browser?.close()
})

const add = (eventId: string, type = 'payout.paid') => inbox.add(newEntry({ eventId, type }))

async function stream({ url }: ConsoleRig, headers = {}): Promise<IncomingMessage> {
  const sent = get(`${url}/console/live/stream`, { headers: { authorization: basic('ada'), ...headers }, agent: false })
  const [res] = await once(sent, 'response')
  return res
}

it('is for those who are let in, on the own pages', async () => {
  expect((await stream(rig, { authorization: '' })).statusCode).toBe(401)
  expect((await stream(rig, { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' })).statusCode).toBe(403)
  expect((await rig.ask('/console/live/stream', { method: 'HEAD' })).status).toBe(200)
})

it('keeps no server from ending, and ends with it', async () => {
  const other = await openConsole({}, { map: {} })
  const res = await stream(other)
  res.resume()
  const ended = once(res, 'end')
  expect(await other.service.stop()).toBe(true)
  await ended
  await other.close()
})

it('shows what came and what was refused without JavaScript', async () => {
  await add('evt_before', HOSTILE)
  await fetch(`${rig.service.url}/webhook`, {
    method: 'POST',
    body: '{}',
    headers: { 'stripe-signature': 't=1,v1=00' },
  })
  const { text } = await rig.ask('/console/live')
  expect(text).toContain('<a data-row href="/console/event?id=evt_before">&lt;img')
  expect(text).toMatch(/signature_mismatch<\/a><span\s+class="id">\/webhook<\/span>/)
  expect(text).toContain('answered 400 by this process')
  expect(text.indexOf('signature_mismatch')).toBeLessThan(text.indexOf('evt_before'))
  expect(text).toContain('<noscript><p><a href="/console/live">Refresh</a>')
})

describe.skipIf(browser === undefined)('in a browser', () => {
  if (browser === undefined) return

  const open = async () => {
    const page = await openConsolePage(browser, rig, '/console/live')
    await page.getByText('Live', { exact: true }).and(page.locator('#live-state')).waitFor()
    return page
  }
  const first = (page: Page) => page.locator('#live tbody tr').first()
  const waiting = (page: Page, text: string) => page.locator('#live-waiting', { hasText: text }).waitFor()

  it('lines come and change as it happens, markup as text', async () => {
    const page = await open()
    await expectFit(page)
    await page.mouse.move(0, 0)
    await add('evt_now', HOSTILE)
    await first(page).getByText('evt_now').waitFor()
    expect(await first(page).textContent()).toContain('<img src=x onerror=alert(1)>\\u202e')
    expect(await page.locator('main img').count()).toBe(0)
    const time = first(page).locator('time')
    expect([await time.textContent(), await time.getAttribute('title')]).toEqual([
      expect.stringMatching(/ ago$/),
      expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC/),
    ])
    for (const lease of await inbox.claim({ limit: 10, leaseMs: 60_000 }))
      await inbox.settle(lease, { state: 'dead', error: HOSTILE })
    await first(page).getByText('dead', { exact: true }).waitFor()
    expect(await page.getByText('evt_now').count()).toBe(1)
    expect(await page.locator('main img').count()).toBe(0)
    await expectFit(page)
  })

  it('nothing moves under the pointer, nor under the focus', async () => {
    const page = await open()
    await page.getByText('evt_before').hover()
    const before = await page.getByText('evt_before').boundingBox()
    await add('evt_hovered')
    await waiting(page, '1 new')
    await add('evt_hovered_2')
    await waiting(page, '2 new')
    expect(await page.getByText('evt_before').boundingBox()).toEqual(before)
    expect(await page.getByText('evt_hovered').count()).toBe(0)
    await page.mouse.move(0, 0)
    await first(page).getByText('evt_hovered_2').waitFor()

    await page.keyboard.press('j')
    await add('evt_focused')
    await waiting(page, '1 new')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('payout.paid')
    await page.keyboard.press('/')
    await first(page).getByText('evt_focused').waitFor()
    await page.locator('#live-waiting:empty').waitFor({ state: 'attached' })
  })

  it('a tab that is hidden ends its stream, and misses nothing', async () => {
    const page = await open()
    const hide = (isHidden: boolean) =>
      page.evaluate(`Object.defineProperty(document, 'hidden', { configurable: true, value: ${isHidden} });
        document.dispatchEvent(new Event('visibilitychange'))`)
    const gone = page.waitForEvent('requestfailed')
    await hide(true)
    await gone
    await add('evt_unseen')
    const asked = page.waitForRequest(/\/console\/live\/stream\?after=\w+-\d+$/)
    await hide(false)
    await asked
    await first(page).getByText('evt_unseen').waitFor()
  })
})

it('tells how long its own attempts took', async () => {
  const working = await openConsole({}, { map: {} })
  await working.service.inbox.add(newEntry({ eventId: 'evt_own' }))
  await eventually('the attempt to be told', async () =>
    /unhandled<\/span>.*evt_own.*in [\d.]+ m?s by this process/s.test((await working.ask('/console/live')).text),
  )
  await working.close()
})
