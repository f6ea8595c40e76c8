import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import axe from 'axe-core'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { startChangeRunner } from '../../src/operations/run-changes.ts'
import type { Repeating } from '../../src/repeat.ts'
import { launchBrowser, openPage } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { captureLog } from '../support/log-lines.ts'
import { newEntry } from '../support/new-entry.ts'
import { follow } from './look.ts'
import { type ConsoleRig, openConsole, PASSWORD } from './rig.ts'

const browser = await launchBrowser()

const AS_SIGNED = '{"id":"evt_ordinary","amount":12345678901234567890,"rate":1.0,"object":{"id":"pi_1"}}'
const SCRIPT = `</pre></td></table><script>window.hacked = 1</script><img src="x" onerror="window.hacked = 1">`
const TURNED = '\u202e\u2066evil\u2069'
const PATHS = [
  '/console',
  '/console/events',
  '/console/event?id=evt_ordinary',
  '/console/failures',
  '/console/live',
  '/console/actions',
] as const

describe.skipIf(browser === undefined)('the console in a browser', () => {
  if (browser === undefined) return
  let rig: ConsoleRig
  let inbox: Inbox
  let runner: Repeating
  beforeAll(async () => {
    rig = await openConsole({ ADMIN_ALLOWED_HOSTS: 'admin.example', STRIPE_MODE: 'test' })
    inbox = rig.service.inbox
    await fill(inbox)
    // The server of these tests handles nothing, so that entries stay as they are; another process does what was asked for.
    const { log } = await captureLog()
    runner = startChangeRunner({ inbox, log }, 20)
  })
  afterAll(async () => {
    await runner.stop()
    await rig.close()
    await browser.close()
  })

  const httpCredentials = { username: 'ada', password: PASSWORD }
  async function open(path: string, options: BrowserContextOptions & { isFaulty?: boolean; base?: string } = {}) {
    const { base = rig.url, ...further } = options
    const { page, faults } = await openPage(browser as NonNullable<typeof browser>, {
      httpCredentials,
      baseURL: base,
      ...further,
    })
    await page.goto(path)
    return { page, faults }
  }
  const stateOf = async (eventId: string) => (await inbox.get(eventId))?.entry.state

  describe('every page', () => {
    it.each(PATHS)(
      '%s passes the checks of axe, light and dark, wide and narrow, and never scrolls sideways',
      async (path) => {
        const { page } = await open(path)
        await page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
        for (const width of [1_280, 320]) {
          for (const colorScheme of ['light', 'dark'] as const) {
            await page.setViewportSize({ width, height: 800 })
            await page.emulateMedia({ colorScheme })
            // Colours go by the scheme, and what is there by the width.
            const isLooked = (width === 320) === (colorScheme === 'dark')
            if (isLooked) expect(await findBarriers(page), `${width} ${colorScheme}`).toEqual([])
            await expect
              .poll(() => page.evaluate<number>('document.documentElement.scrollWidth'))
              .toBeLessThanOrEqual(width)
            const background = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
            expect(background === 'rgb(255, 255, 255)').toBe(colorScheme === 'light')
          }
        }
      },
    )

    it('loads less than 100 KB, all of it from here', async () => {
      for (const path of PATHS) {
        const { page } = await open('about:blank')
        const sizes: number[] = []
        const hosts = new Set<string>()
        page.on('requestfinished', async (request) => {
          hosts.add(new URL(request.url()).origin)
          const { responseBodySize } = await request.sizes()
          sizes.push(responseBodySize)
        })
        await page.goto(`${rig.url}${path}`, { waitUntil: 'networkidle' })
        expect(sizes.length).toBeGreaterThan(2)
        expect(
          sizes.reduce((sum, size) => sum + size, 0),
          path,
        ).toBeLessThan(100_000)
        expect([...hosts]).toEqual([rig.url])
      }
    })

    it('works without JavaScript', async () => {
      const { page } = await open('/console', { javaScriptEnabled: false })
      await follow(page, () => page.getByRole('link', { name: 'Events' }).click())
      await page.getByText('Filter', { exact: true }).first().click()
      await page.getByLabel('Type, * for any').fill('payout.*')
      await page.getByLabel('dead').check()
      await follow(page, () => page.getByRole('button', { name: 'Filter' }).click())
      expect(new URL(page.url()).search).toBe('?state=dead&type=payout.*')
      expect(await page.locator('tbody tr').count()).toBe(3)
      await page.goto('/console')
      expect(await page.locator('#points').count()).toBe(1)
    })

    it('says so when the address leads nowhere', async () => {
      const { page } = await open('/console/nothing', { isFaulty: true })
      expect(await page.textContent('h1')).toBe('There is no such page')
      await page.goto('/console/event?id=evt_nowhere')
      expect(await page.textContent('h1')).toBe('No entry has this id')
    })
  })

  describe('the overview', () => {
    it('tells of each part how it is, and what to do', async () => {
      const { page } = await open('/console')
      const lines = await page.locator('.parts li').allTextContents()
      expect(lines).toEqual([
        expect.stringMatching(/^fine Store: takes deliveries/),
        expect.stringMatching(/^fine Handling/),
        expect.stringMatching(/^look Failures: \d+ dead or parked, .*Mend the cause/),
        expect.stringMatching(/^look Stripe: not asked yet .*STRIPE_API_KEY/),
      ])
      expect(await page.locator('.counts').textContent()).toMatch(/dead\s+\d/)
      expect(await page.locator('.mode').textContent()).toBe('test')
    })

    it('plots what was counted, over an hour, a day or a week', async () => {
      const { page } = await open('/console')
      const plot = page.locator('#plot canvas')
      await plot.waitFor()
      expect(await plot.evaluate((canvas) => canvas.clientWidth)).toBeGreaterThan(500)
      for (const range of ['last day', 'last week']) {
        await follow(page, () => page.getByRole('link', { name: range }).click())
        expect(await page.locator('.tabs [aria-current]').textContent()).toBe(range)
        await plot.waitFor()
      }
      const text = (await page.textContent('main')) ?? ''
      for (const told of [
        'signature_mismatch wrong secret',
        'STRIPE_WEBHOOK_SECRET 2:…efgh',
        '2026-10-28.endive',
        'half ≤ 5 ms',
      ])
        expect(text.replace(/\s+/g, ' ')).toContain(told)
    })

    it('holds and resumes, which every page shows and which is recorded', async () => {
      const { page } = await open('/console')
      await page.getByText('Hold…').click()
      await page.getByLabel('Why').fill(`payouts booked twice ${SCRIPT}`)
      await follow(page, () => page.getByRole('button', { name: 'Hold handling' }).click())
      expect(await inbox.held()).toMatchObject({ who: 'ada', reason: expect.stringContaining('payouts booked twice') })
      for (const path of PATHS) {
        await page.goto(path)
        expect(await page.getByRole('alert').textContent()).toMatch(
          /^Handling is held by ada for .*: payouts booked twice <\/pre>/,
        )
      }
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        expect(await findBarriers(page), colorScheme).toEqual([])
      }
      await follow(page, () => page.getByRole('button', { name: 'Resume' }).click())
      expect(await inbox.held()).toBeNull()
      expect(await page.getByRole('alert').count()).toBe(0)
      const actions = await inbox.actions({ limit: 2 })
      expect(actions.map(({ facts }) => [facts.verb, facts.who, facts.from])).toEqual([
        ['resume', 'ada', 'console'],
        ['hold', 'ada', 'console'],
      ])
    })
  })

  describe('the events', () => {
    it('are filtered by what the address says, and the address is what was filtered by', async () => {
      const { page } = await open('/console/events')
      expect(await page.locator('caption').textContent()).toMatch(/^\d+, newest first$/)
      await page.getByText('Filter', { exact: true }).first().click()
      await page.getByLabel('Text of the reason').fill('bank')
      await page.getByLabel('Source').selectOption('delivery')
      await page.getByLabel('Since').fill('1h')
      await follow(page, () => page.getByRole('button', { name: 'Filter' }).click())
      expect(new URL(page.url()).search).toBe('?source=delivery&reason=bank&since=1h')
      expect(await page.locator('tbody tr').count()).toBe(2)
      expect(await page.locator('#command').textContent()).toBe(
        'npm run events -- list --source delivery --reason bank --since 1h',
      )
    })

    it('come a page at a time', async () => {
      const { page } = await open('/console/events?type=invoice.paid')
      const seen: string[] = []
      for (;;) {
        seen.push(...(await page.locator('td.main .id').allTextContents()))
        const older = page.getByRole('link', { name: 'older' })
        if ((await older.count()) === 0) break
        await follow(page, () => older.click())
      }
      expect(seen).toEqual(Array.from({ length: 60 }, (_, index) => `evt_invoice_${59 - index}`))
    })

    it('say what is wrong with a filter', async () => {
      const { page } = await open('/console/events?account=cus_1&since=2h', { isFaulty: true })
      expect(await page.getByLabel(/^Account/).inputValue()).toBe('cus_1')
      expect(await page.getByText('Expected the id of a connected account').count()).toBe(1)
      expect(await page.locator('table').count()).toBe(0)
    })

    it.each([
      ['evt_ordinary', '/console/event?id=evt_ordinary'],
      ['pi_shared', '/console/events?object=pi_shared'],
      ['cus_shared', '/console/events?value=cus_shared'],
    ])('are found by %s', async (wanted, address) => {
      const { page } = await open('/console')
      await page.keyboard.press('/')
      await page.keyboard.type(` ${wanted} `)
      await follow(page, () => page.keyboard.press('Enter'))
      await page.waitForURL(`**${address}`)
      expect(await page.getByText('No entry').count()).toBe(0)
    })
  })

  describe('one event', () => {
    it('shows its facts, attempts, twin, lane and payload', async () => {
      const { page } = await open('/console/event?id=evt_twin_thin')
      const facts = Object.fromEntries(
        await page
          .locator('dl.facts dt')
          .evaluateAll((terms) => terms.map((term) => [term.textContent, term.nextElementSibling?.textContent])),
      )
      expect(facts).toMatchObject({
        twin: 'payout.failed dead',
        shape: expect.stringContaining('thin'),
        mode: 'test',
        'came by': 'delivery to /webhook, proven by secret 1:…abcd',
        account: expect.stringContaining('acct_1'),
      })
      const lane = await page.locator('table.entries .id').filter({ hasText: 'evt_twin' }).allTextContents()
      expect(lane).toEqual(['evt_twin_snapshot', 'evt_twin_thin'])
      expect(await page.locator('tr[aria-current] .id').first().textContent()).toBe('evt_twin_thin')
      await follow(page, () => page.getByRole('link', { name: 'payout.failed' }).first().click())
      expect(await page.locator('.error').allTextContents()).toEqual(['bank says no\n    at pay'])
      expect(await page.getByRole('link', { name: 'in Stripe' }).first().getAttribute('href')).toBe(
        'https://dashboard.stripe.com/acct_1/test/payouts/po_twin',
      )
    })

    it('shows a payload as it was signed, indented or not, and gives its bytes', async () => {
      const { page } = await open('/console/event?id=evt_ordinary')
      expect(await page.locator('pre').textContent()).toContain('"amount": 12345678901234567890,\n  "rate": 1.0,')
      await follow(page, () => page.getByRole('link', { name: 'as it came' }).click())
      expect(await page.locator('pre').textContent()).toBe(AS_SIGNED)
      const downloading = page.waitForEvent('download')
      await page.getByRole('link', { name: /^download/ }).click()
      expect((await downloading).suggestedFilename()).toBe('evt_ordinary.json')
      const { body, headers } = await rig.ask('/console/payload?id=evt_ordinary')
      expect(body.toString()).toBe(AS_SIGNED)
      expect(headers['content-type']).toBe('application/octet-stream')
    })

    it('copies its id', async () => {
      const { page } = await open('/console/event?id=evt_ordinary', {
        permissions: ['clipboard-read', 'clipboard-write'],
      })
      await page.getByRole('button', { name: 'Copy' }).first().click()
      await page.getByRole('button', { name: 'Copied' }).waitFor()
      expect(await page.evaluate('navigator.clipboard.readText()')).toBe('evt_ordinary')
    })

    it('is replayed, with a second thought when it was handled', async () => {
      const { page } = await open('/console/event?id=evt_dead_one')
      await follow(page, () => page.getByRole('button', { name: 'Replay' }).click())
      expect(await page.getByRole('status').textContent()).toBe('Replayed: it is due now.')
      expect(await stateOf('evt_dead_one')).toBe('pending')
      expect((await inbox.actions({ limit: 1 }))[0]).toMatchObject({
        state: 'done',
        facts: { who: 'ada', from: 'console', verb: 'replay', eventIds: ['evt_dead_one'], changed: 1, leftAlone: 0 },
      })
      await page.goto('/console/event?id=evt_handled')
      expect(await page.getByRole('button', { name: 'Replay' }).isVisible()).toBe(false)
      await page.getByText('Replay…').click()
      await follow(page, () => page.getByRole('button', { name: 'Replay' }).click())
      expect(await stateOf('evt_handled')).toBe('pending')
    })
  })

  it('failures are grouped by type and first line of the reason, and a group is a filter', async () => {
    const { page } = await open('/console/failures')
    const group = page.locator('tbody tr').filter({ hasText: 'payout.failed' }).filter({ hasText: 'bank says no' })
    expect(await group.locator('td').first().textContent()).toBe('2')
    await follow(page, () => group.getByRole('link').first().click())
    expect(new URL(page.url()).search).toBe('?state=dead&type=payout.failed&reason=bank+says+no')
    expect(await page.locator('tbody tr').count()).toBe(2)
  })

  describe('all that match', () => {
    it('are replayed by keys alone, after a look at what they are, and of what was shown alone', async () => {
      const { page } = await open('/console/failures?type=topup.*')
      await page.keyboard.press('j')
      await page.keyboard.press('r')
      await follow(page, () => page.keyboard.press('Enter'))
      await page.waitForURL('**/console/change?verb=replay&state=dead&type=topup.failed&reason=topup')
      const shown = (await page.textContent('main'))?.replace(/\s+/g, ' ')
      expect(shown).toContain('npm run events -- replay --state dead --type topup.failed --reason topup')
      expect(shown).toContain('3 entries, the oldest evt_topup_0')
      await settleDead(inbox, 'evt_topup_later', 'topup.failed', 'topup')
      await page.keyboard.press('r')
      expect(await page.evaluate('document.activeElement.textContent')).toBe('Replay 3 entries')
      await follow(page, () => page.keyboard.press('Enter'))
      await page.getByText('done 3 changed').waitFor()
      expect(await findBarriers(page)).toEqual([])
      expect(await Promise.all(['evt_topup_0', 'evt_topup_2', 'evt_topup_later'].map(stateOf))).toEqual([
        'pending',
        'pending',
        'dead',
      ])
      expect((await inbox.actions({ limit: 1 }))[0]).toMatchObject({
        state: 'done',
        facts: {
          who: 'ada',
          from: 'console',
          verb: 'replay',
          filter: 'state=dead&type=topup.failed&reason=topup',
          changed: 3,
        },
      })
    })

    it('are replayed at a rate, until somebody cancels', async () => {
      const { page } = await open('/console/events?type=plan.*')
      await follow(page, () => page.getByRole('link', { name: 'Replay what matches…' }).click())
      expect(await findBarriers(page)).toEqual([])
      await page.getByLabel('At most').fill('1')
      await follow(page, () => page.getByRole('button', { name: 'Replay 20 entries' }).click())
      await page.waitForURL('**/console/action?id=*')
      await follow(page, () => page.getByRole('button', { name: 'Cancel' }).click())
      await page.getByText(/^cancelled/).waitFor()
      expect((await inbox.list({ type: 'plan.*', states: ['dead'] }, { limit: 100 })).length).toBeGreaterThan(0)
    })

    it('are none without a filter, and no button is there for none', async () => {
      const { page } = await open('/console/change?verb=replay', { isFaulty: true })
      expect(await page.textContent('main')).toContain('nothing is done to everything')
      await page.goto('/console/change?verb=replay&type=nothing.like.it')
      expect(await page.textContent('main')).toContain('Nothing that can be replayed matches')
      expect(await page.getByRole('button', { name: /^Replay/ }).count()).toBe(0)
    })
  })

  it('everything is reached by keys alone', async () => {
    const { page } = await open('/console/events?state=dead&type=refund.failed')
    const focused = () => page.evaluate("document.activeElement?.closest('tr')?.querySelector('.id')?.textContent")
    await page.keyboard.press('j')
    expect(await focused()).toBe('evt_keys_2')
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    expect(await focused()).toBe('evt_keys_1')
    await page.keyboard.press('k')
    await follow(page, () => page.keyboard.press('Enter'))
    await page.waitForURL('**/console/event?id=evt_keys_2')
    await page.keyboard.press('?')
    await page.locator('dialog').waitFor({ state: 'visible' })
    await page.keyboard.press('Escape')
    await page.locator('dialog').waitFor({ state: 'hidden' })
    await page.keyboard.press('r')
    await follow(page, () => page.keyboard.press('Enter'))
    await page.getByRole('status').waitFor()
    expect(await stateOf('evt_keys_2')).toBe('pending')
    // Letters typed into a field are letters.
    await page.keyboard.press('/')
    await page.keyboard.type('jkr?/')
    expect(await page.getByRole('searchbox').inputValue()).toBe('jkr?/')
  })

  describe('what strangers wrote', () => {
    const ids = [`evt_script${SCRIPT}`, `evt_turned${TURNED}`, 'evt_deep', 'evt_large', 'evt_bytes']
    it.each<readonly [string, string, string]>([
      ['the events', '/console/events?state=dead', 'evt_script</pre>'],
      ['the failures', '/console/failures', 'hostile</pre>'],
      ...ids.map((id) => [id.slice(0, 10), `/console/event?${new URLSearchParams({ id })}`, id.slice(0, 8)] as const),
    ])('is shown as text: %s', async (_name, path, told) => {
      const { page } = await open(path, { viewport: { width: 320, height: 800 } })
      const text = await page.textContent('main')
      expect(text).toContain(told)
      expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/)
      expect(await page.evaluate("'hacked' in window")).toBe(false)
      expect(await page.locator('main script, main img').count()).toBe(0)
      await expect.poll(() => page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320)
    })

    it('is cut when it is large, deep or no text, and says so', async () => {
      const { page } = await open('/console/event?id=evt_large')
      expect(await page.locator('.remark').allTextContents()).toEqual([
        'The first 256 KiB of it; the download has all.',
      ])
      expect((await page.locator('pre').textContent())?.length).toBeLessThan(300_000)
      await page.goto('/console/event?id=evt_deep')
      expect((await page.locator('pre').textContent())?.split('\n')).toHaveLength(199)
      await page.goto('/console/event?id=evt_bytes')
      expect(await page.locator('.remark').textContent()).toContain('not all UTF-8')
      const { body } = await rig.ask('/console/payload?id=evt_bytes')
      expect([...body.subarray(0, 3)]).toEqual([0x22, 0xff, 0xfe])
    })
  })

  describe('another site', () => {
    it('cannot have a form do something here, nor read or hold a page', async () => {
      const target = `${rig.url}/console/replay?id=evt_untouched`
      const foreign = createServer((req, res) => {
        res.setHeader('Content-Type', 'text/html')
        if (req.url === '/form') res.end(`<form method="post" action="${target}"><button>Win</button></form>`)
        else res.end(`<iframe src="${rig.url}/console"></iframe><script src="${rig.url}/console/events"></script>`)
      })
      await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve))
      const { port } = foreign.address() as AddressInfo // a listening TCP server's address is of this form
      try {
        for (const host of ['foreign.example', '127.0.0.1', 'localhost']) {
          const { page } = await open('/console', { isFaulty: true })
          await page.goto(`http://${host}:${port}/form`)
          await follow(page, () => page.getByRole('button').click())
          expect(await page.textContent('body')).toContain('on its own pages only')
          expect(await stateOf('evt_untouched')).toBe('dead')
          const answers: number[] = []
          page.on(
            'response',
            (response) => void (response.url().startsWith(rig.url) && answers.push(response.status())),
          )
          await page.goto(`http://${host}:${port}/hold`)
          // Of what it keeps from the page, as of the script, the browser need not tell.
          expect(new Set(answers)).toEqual(new Set([403]))
        }
      } finally {
        foreign.close()
      }
    })

    it('cannot have its own name lead here', async () => {
      const { port } = new URL(rig.url)
      const { page } = await open('/console', { isFaulty: true, base: `http://foreign.example:${port}` })
      expect(await page.textContent('body')).toContain('does not go by this name')
    })

    it('is not what ADMIN_ALLOWED_HOSTS names: there, over plain HTTP, everything works', async () => {
      const { port } = new URL(rig.url)
      const base = `http://admin.example:${port}`
      // Chromium says that this header of ours has no effect over plain HTTP.
      const { page, faults } = await open('/console/event?id=evt_by_name', { base, isFaulty: true })
      await page.getByRole('button', { name: 'Copy' }).first().click()
      expect(await page.evaluate('getSelection().toString()')).toBe('evt_by_name')
      await follow(page, () => page.getByRole('button', { name: 'Replay' }).click())
      await page.getByRole('status').waitFor()
      expect(await stateOf('evt_by_name')).toBe('pending')
      expect(faults.filter((fault) => !fault.includes('Cross-Origin-Opener-Policy'))).toEqual([])
    })

    it('is as far as anyone without the password', async () => {
      const { page } = await open('about:blank', {
        isFaulty: true,
        httpCredentials: { username: 'ada', password: 'wrong' },
      })
      const answer = await page.goto(`${rig.url}/console`).catch((error: unknown) => String(error))
      expect(typeof answer === 'string' ? answer : answer?.status()).toSatisfy(
        (told) => told === 401 || String(told).includes('ERR_INVALID_AUTH_CREDENTIALS'),
      )
    })
  })

  it('with CONSOLE_PAYLOADS=hide a payload is shown on request, which is recorded', async () => {
    const hiding = await openConsole({ CONSOLE_PAYLOADS: 'hide' })
    try {
      await hiding.service.inbox.add(newEntry({ eventId: 'evt_hidden', body: Buffer.from(AS_SIGNED) }))
      const actions = async () =>
        (await hiding.service.inbox.actions({ limit: 10 })).map(({ facts }) => [facts.who, facts.verb, facts.eventIds])
      const { page } = await open('/console/event?id=evt_hidden', { base: hiding.url })
      expect(await page.content()).not.toContain('12345678901234567890')
      expect(await actions()).toEqual([])
      await follow(page, () => page.getByRole('link', { name: 'indented' }).click())
      expect(await page.locator('pre').textContent()).toContain('12345678901234567890')
      await hiding.ask('/console/payload?id=evt_hidden')
      expect(await actions()).toEqual(Array(2).fill(['ada', 'look at the payload', ['evt_hidden']]))
    } finally {
      await hiding.close()
    }
  })

  it('times go on, and tell the instant', async () => {
    const { page } = await openPage(browser, { httpCredentials, baseURL: rig.url })
    await page.clock.install()
    await page.goto('/console/event?id=evt_ordinary')
    const time = page.locator('dl.facts time').first()
    await page.clock.fastForward('03:00:00')
    await eventually('the time to go on', async () => (await time.textContent()) === '3 h ago')
    expect(await time.getAttribute('title')).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC · .* here$/)
  })
})

/** What axe finds wrong with a page: contrast, labels, order of headings and the like. */
async function findBarriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<axe.AxeResults>('axe.run(document)')
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

async function settleDead(inbox: Inbox, eventId: string, type: string, error: string): Promise<void> {
  await inbox.add(newEntry({ eventId, type }))
  for (;;) {
    const [lease] = await inbox.claim({ limit: 1, leaseMs: 60_000 })
    if (lease === undefined) throw new Error('the entry is not due')
    if (lease.entry.eventId === eventId) return void (await inbox.settle(lease, { state: 'dead', error }))
    // What a test replayed waits on.
    await inbox.settle(lease, { state: 'pending', error: 'put off', retryInMs: 3_600_000 })
  }
}

/** Entries of every kind that the tests look for; nothing works on them. */
async function fill(inbox: Inbox): Promise<void> {
  const dead = { state: 'dead', error: 'bank says no\n    at pay' } as const
  async function settle(
    facts: Parameters<typeof newEntry>[0],
    outcome: Parameters<Inbox['settle']>[1] = dead,
  ): Promise<void> {
    await inbox.add(newEntry({ createdAt: new Date(), ...facts }))
    const [lease] = await inbox.claim({ limit: 1, leaseMs: 60_000 })
    if (lease === undefined) throw new Error('the entry is not due')
    await inbox.settle(lease, outcome)
  }
  const twin = { account: 'acct_1', objectId: 'po_twin', lane: 'acct_1/po_twin' }
  await settle({ eventId: 'evt_twin_snapshot', type: 'payout.failed', ...twin })
  await settle(
    {
      eventId: 'evt_twin_thin',
      type: 'v1.payout.failed',
      shape: 'thin',
      snapshotEventId: 'evt_twin_snapshot',
      apiVersion: null,
      ...twin,
    },
    { state: 'handled' },
  )
  await settle({ eventId: 'evt_dead_two', type: 'payout.failed' })
  await settle({ eventId: 'evt_dead_three', type: 'payout.paid' }, { state: 'dead', error: 'other' })
  await settle({ eventId: 'evt_dead_one', type: 'transfer.failed' }, { state: 'dead', error: 'one' })
  await settle(
    { eventId: 'evt_retry', type: 'charge.failed' },
    { state: 'pending', error: 'later', retryInMs: 3_600_000 },
  )
  for (const eventId of ['evt_untouched', 'evt_by_name']) await settle({ eventId }, { state: 'dead', error: 'one' })
  for (const eventId of ['evt_keys_1', 'evt_keys_2'])
    await settle({ eventId, type: 'refund.failed' }, { state: 'dead', error: 'keys' })
  await settle({ eventId: 'evt_handled' }, { state: 'handled' })
  await settle({ eventId: 'evt_ordinary', body: Buffer.from(AS_SIGNED) }, { state: 'handled' })
  await settle({ eventId: 'evt_shared', objectId: 'pi_shared', values: ['cus_shared'] }, { state: 'unhandled' })
  for (let index = 0; index < 3; index += 1) await settleDead(inbox, `evt_topup_${index}`, 'topup.failed', 'topup')
  for (let index = 0; index < 20; index += 1) await settleDead(inbox, `evt_plan_${index}`, 'plan.created', 'plan')
  const hostile = (eventId: string, body: Buffer | string, text = '') =>
    settle(
      {
        ...{
          eventId: `${eventId}${text}`,
          type: `hostile${text}`,
          objectId: `pi${text}`,
          account: `acct${text}`,
          lane: `/${text}`,
        },
        ...{ apiVersion: `2026${text}`, secret: `1:…${text}`, values: [`cus${text}`], body: Buffer.from(body) },
      },
      { state: 'dead', error: `hostile ${eventId}${text}\u0000\nand ${text}` },
    )
  await hostile('evt_script', `{"a":"${SCRIPT}"}`, SCRIPT)
  await hostile('evt_turned', `{"${TURNED}":"${TURNED}\u0000"}`, TURNED)
  await hostile('evt_deep', `${'['.repeat(100)}${']'.repeat(100)}`, '')
  await hostile('evt_large', `{"a":"${'x'.repeat(1_048_000)}"}`, '')
  await hostile('evt_bytes', Buffer.from([0x22, 0xff, 0xfe, 0xc0, 0x22]), '')
  for (let index = 0; index < 60; index += 1)
    await settle({ eventId: `evt_invoice_${index}`, type: 'invoice.paid' }, { state: 'handled' })
  await inbox.recordFigures({
    ...{ accepted: 100, handled: 80, failed: 12, waits: [1, 2, 70, 7], refused: { signature_mismatch: 12 } },
    ...{ proven: { 'account 1:…abcd': 90, 'account 2:…efgh': 10 }, versions: { '2026-10-28.endive': 100 } },
  })
}
