import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ForwardOutcome } from '../../src/inbox/forwards.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { createLog } from '../../src/log.ts'
import { startChangeRunner } from '../../src/operations/run-changes.ts'
import { launchBrowser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { loadedTarget, TARGET_SECRET } from '../support/loaded-target.ts'
import { newEntry } from '../support/new-entry.ts'
import { expectFit, follow, openConsolePage } from './look.ts'
import { type ConsoleRig, openConsole } from './rig.ts'

const browser = await launchBrowser()
const HOSTILE = `</pre></td></table><script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">\u202e`
const targets = [
  loadedTarget({ types: ['payout.*'], mode: 'live', where: () => true }),
  loadedTarget({ name: 'books', url: new URL('https://books.internal/stripe?key=in-the-query') }),
]
const dead: ForwardOutcome = { state: 'dead', error: 'answered 500', status: 500, answer: HOSTILE }
const delivered: ForwardOutcome = { state: 'delivered', status: 200, answer: null }

let rig: ConsoleRig
let inbox: Inbox
beforeAll(async () => {
  rig = await openConsole({}, undefined, targets)
  inbox = rig.service.inbox
  await fill(inbox)
})
afterAll(async () => {
  await rig.close()
  await browser?.close()
})

async function add(into: Inbox, eventId: string, to: string, held: string | null = null): Promise<void> {
  await into.add(newEntry({ eventId, type: 'payout.paid', forwards: [{ target: to, hops: 1, held }] }))
}
async function send(into: Inbox, eventId: string, to: string, outcome: ForwardOutcome): Promise<void> {
  await add(into, eventId, to)
  const leases = await into.forwards.claim({ wanted: [{ target: to, limit: 1 }], leaseMs: 60_000 })
  for (const lease of leases) await into.forwards.settle(lease, outcome)
}
async function fill(into: Inbox): Promise<void> {
  await send(into, 'evt_dead', 'shop', dead)
  await send(into, 'evt_dead_too', 'shop', dead)
  await send(into, 'evt_delivered', 'shop', delivered)
  await send(into, 'evt_retried', 'shop', { ...dead, state: 'pending', retryInMs: 3_600_000, error: HOSTILE })
  await add(into, 'evt_held', 'shop', 'its `where` threw')
  await send(into, 'evt_gone', 'gone', dead)
}
const text = async (path: string, of = rig) => (await of.ask(path)).text.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
const post = (path: string, body = '', of = rig, origin = of.url) =>
  of.ask(path, { method: 'POST', headers: { origin, 'content-type': 'application/x-www-form-urlencoded' }, body })
const forwardOf = async (eventId: string) => (await inbox.get(eventId))?.forwards[0]
const latest = async () => (await inbox.actions({ limit: 1 }))[0]
const states = async () => (await inbox.forwards.states()).map(({ target, state }) => [target, state.hold?.reason])

it('is in the navigation where TARGETS names some, or something waits for one', async () => {
  const link = 'href="/console/targets"'
  expect((await rig.ask('/console')).text).toContain(link)
  const without = await openConsole()
  expect((await without.ask('/console')).text).not.toContain(link)
  expect(await text('/console/targets', without)).toContain('There are none')
  await add(without.service.inbox, 'evt_1', 'gone')
  expect((await without.ask('/console')).text).toContain(link)
  expect(await text('/console/target?name=gone', without)).toContain('TARGETS does not name it: nothing is sent')
  await without.close()
})

it('lists each target with its state, and what waits for it', async () => {
  const told = await text('/console/targets')
  expect(told).toMatch(/sending shop 127\.0\.0\.1:1 2 dead, 1 held 1 2 1 [\d.]+ m?s /)
  expect(told).toMatch(/sending books books\.internal well 0 0 0 – /)
  expect(told).toMatch(/not named gone TARGETS does not name it: nothing is sent 0 1 0/)
  expect(told).not.toContain('in-the-query')
})

it('shows one with its failures by cause and its last answers, and no secret', async () => {
  const { text: page } = await rig.ask('/console/target?name=shop')
  expect(page).not.toContain(TARGET_SECRET)
  expect(page).not.toMatch(/<script>window|<img|\u202e/)
  const told = await text('/console/target?name=shop')
  expect(told).toContain('takes payout.*; live mode; and its `where` says so')
  expect(told).toMatch(/2 dead shop answered 500 Replay all of these .* \d/)
  expect(told).toContain('By cause, most first, of the newest 10,000 of a target')
  expect(told).toMatch(/1 held shop its `where` threw Replay all of these/)
  expect(told).toMatch(/1 pending shop &lt;\/pre&gt;.*?hacked = 1&quot;&gt;\\u202e \d/)
  expect(told).toMatch(/payout\.paid evt_dead 1 \d+ ms dead 500 answered 500 &lt;\/pre&gt;/)
  expect(told).toMatch(/payout\.paid evt_delivered 1 \d+ ms delivered 200 /)
  expect(await rig.ask('/console/target?name=none')).toMatchObject({
    status: 404,
    text: expect.stringContaining('There is no such target'),
  })
})

it('shows of each event where it went, with what was answered', async () => {
  const told = await text('/console/event?id=evt_dead')
  expect(told).toMatch(/Forwards .* dead shop answered 500 Replay to shop 1 500 /)
  expect(told).toMatch(/shop 1 \d+ ms dead 500 answered 500 &lt;\/pre&gt;/)
  expect(await text('/console/event?id=evt_delivered')).toContain('It was delivered: the target would get it again.')
  expect(await text('/console/event?id=evt_retried')).not.toContain('Replay to shop')
  expect(await text('/console/event?id=evt_gone')).not.toContain('Replay to gone')
  await inbox.add(newEntry({ eventId: 'evt_nowhere' }))
  expect(await text('/console/event?id=evt_nowhere')).not.toContain('Forwards')
})

it('shows no answer, which may repeat the payload, while payloads are hidden', async () => {
  const hiding = await openConsole({ CONSOLE_PAYLOADS: 'hide' }, undefined, targets)
  await fill(hiding.service.inbox)
  for (const path of ['/console/event?id=evt_dead', '/console/target?name=shop'])
    expect(await text(path, hiding)).toMatch(/answered 500 What it began with is hidden/)
  expect(await text('/console/event?id=evt_dead&payload=raw', hiding)).toContain('answered 500 &lt;/pre&gt;')
  expect((await hiding.service.inbox.actions({ limit: 1 }))[0]?.facts.verb).toBe('look at the payload')
  await hiding.close()
})

it('is held with a reason and resumed, both recorded, and the overview tells of it', async () => {
  expect(await text('/console')).toContain(
    'look Target shop: 2 dead, 1 held. Mend the cause, then replay. Look at shop',
  )
  expect(await text('/console')).toContain('look Target gone: TARGETS does not name it: nothing is sent.')
  expect(await text('/console')).not.toContain('Target books')
  const { status, headers } = await post('/console/target/hold?name=shop', 'reason=moving+house')
  expect({ status, to: headers.location }).toEqual({ status: 303, to: '/console/target?name=shop' })
  expect(await latest()).toMatchObject({
    facts: { who: 'ada', from: 'console', verb: 'hold target', filter: 'target=shop', reason: 'moving house' },
  })
  const told = await text('/console/target?name=shop')
  expect(told).toMatch(/state held for .* by ada: moving house held since/)
  expect(told).not.toContain('Hold shop')
  const overview = await rig.ask('/console')
  expect(overview.text).toMatch(/<li class="bad"><strong>act<\/strong> Target shop: held for .* by ada: moving house\./)
  expect(overview.text).toContain('href="/console/target?name=shop"')
  expect((await rig.ask('/console/actions')).text).toMatch(/href="\/console\/target\?name=shop">shop<\/a>/)
  await post('/console/target/resume?name=shop')
  expect(await states()).toEqual([['shop', undefined]])
  expect((await latest())?.facts.verb).toBe('resume target')
  const [known] = await inbox.forwards.states()
  const open = { since: Date.now() - 60_000, probeAt: Date.now() + 30_000, probes: 0 }
  if (known === undefined) throw new Error('nothing is known of it')
  await inbox.forwards.writeState('shop', { ...known.state, failures: 12, open }, known.version)
  expect(await text('/console')).toMatch(/Target shop: circuit open for \d+ s, 12 failures in a row\./)
  expect(await text('/console/target?name=shop')).toMatch(/open since .* next attempt in \d+ s/)
  await post('/console/target/resume?name=shop')
  expect(await text('/console')).toContain('Target shop: 2 dead, 1 held.')
})

it('tells what to do about one that is named no more', async () => {
  const told = 'Name it in TARGETS again to send what waits, or give that up: npm run targets -- drop'
  expect(await text('/console/target?name=gone')).toContain(`${told} gone --state pending,dead,held `)
  expect(await text('/console/target?name=shop')).not.toContain(told)
})

it('is changed from the own pages alone, not when the console only shows, and only what TARGETS names', async () => {
  const before = { latest: await latest(), states: await states(), dead: await forwardOf('evt_dead') }
  const paths = [
    '/console/target/hold?name=shop',
    '/console/target/resume?name=shop',
    '/console/replay-forward?id=evt_dead&target=shop',
    '/console/replay-forwards?target=shop&state=dead&reason=answered+500',
  ]
  const drop = '/console/drop-forwards?target=shop&state=dead&reason=answered+500'
  expect((await post(drop, '', rig, 'http://foreign.example')).status).toBe(403)
  for (const path of paths) {
    expect((await post(path, '', rig, 'http://foreign.example')).status).toBe(403)
    expect((await post(path.replace('=shop', '=gone'))).status).toBe(400)
  }
  expect((await post('/console/replay-forwards?target=shop&state=pending&reason=x')).status).toBe(400)
  expect((await post('/console/replay-forwards?target=shop&state=dead&reason=other')).text).toContain('Nothing of it')
  expect({ latest: await latest(), states: await states(), dead: await forwardOf('evt_dead') }).toEqual(before)
  const only = await openConsole({ CONSOLE_READ_ONLY: '1' }, undefined, targets)
  await fill(only.service.inbox)
  for (const path of [...paths, drop]) expect((await post(path, '', only)).status).toBe(403)
  for (const path of ['targets', 'target?name=shop', 'event?id=evt_dead', 'event?id=evt_delivered', 'failures'])
    expect((await only.ask(`/console/${path}`)).text).not.toContain('method="post"')
  await only.close()
})

it('replays one forward, which is recorded, and leaves alone what waits', async () => {
  for (const eventId of ['evt_one_dead', 'evt_one_delivered'])
    await send(inbox, eventId, 'books', eventId === 'evt_one_dead' ? dead : delivered)
  for (const eventId of ['evt_one_dead', 'evt_one_delivered']) {
    const { headers } = await post(`/console/replay-forward?id=${eventId}&target=books`)
    expect(headers.location).toBe(`/console/event?id=${eventId}&done=forwarded`)
    expect(await forwardOf(eventId)).toMatchObject({ state: 'pending', attempts: 0, replays: 1 })
    expect(await latest()).toMatchObject({
      state: 'done',
      facts: { who: 'ada', verb: 'replay target', filter: 'target=books', eventIds: [eventId], changed: 1 },
    })
  }
  const again = await post('/console/replay-forward?id=evt_one_dead&target=books')
  expect(await text(String(again.headers.location))).toContain('Left alone')
  expect((await latest())?.facts).toMatchObject({ changed: 0, leftAlone: 1 })
})

it('has failures listed by target and cause, and a server replays all of one, over a restart', async () => {
  const all = await openConsole({}, undefined, targets)
  const { inbox: own } = all.service
  await fill(own)
  // More than one chunk of them.
  for (let n = 0; n < 250; n += 1) await send(own, `evt_${n}`, 'books', dead)
  await send(own, 'evt_other', 'books', { ...dead, error: 'answered 422' })
  const told = await text('/console/failures', all)
  expect(told).toMatch(/250 dead books answered 500 Replay all of these .* 2 dead shop answered 500/)
  expect(await text('/console/failures?type=payout.*', all)).not.toContain('books')
  const path = '/console/replay-forwards?target=books&state=dead&reason=answered+500'
  const { headers } = await post(path, '', all)
  expect((await post(path, '', all)).headers.location).toBe(headers.location)
  // One step of it, as by a process that dies then.
  const log = await createLog('silent')
  const changed = async () => (await own.actions({ limit: 1 }))[0]?.facts.changed ?? 0
  const first = startChangeRunner({ inbox: own, log }, 5)
  await eventually('a step', async () => (await changed()) > 0)
  await first.stop()
  const second = startChangeRunner({ inbox: own, log }, 5)
  await eventually('the end', async () => (await own.actions({ limit: 1 }))[0]?.state === 'done')
  await second.stop()
  expect((await own.actions({ limit: 1 }))[0]).toMatchObject({
    facts: { who: 'ada', from: 'console', verb: 'replay target', entries: 250, changed: 250, leftAlone: 0 },
  })
  expect(await text(String(headers.location), all)).toMatch(/done 250 changed .* which books dead: answered 500/)
  const left = await own.forwards.list({ target: 'books', states: ['dead'] }, { limit: 10 })
  expect(left.map(({ eventId }) => eventId)).toEqual(['evt_other'])
  expect(await own.forwards.list({ target: 'shop', states: ['dead'] }, { limit: 10 })).toHaveLength(2)
  await all.close()
})

it('drops all that failed alike, also for a target that is named no more', async () => {
  const some = await openConsole({}, undefined, targets)
  const own = some.service.inbox
  await fill(own)
  expect(await text('/console/target?name=gone', some)).toMatch(/1 dead gone answered 500 Drop all of these…/)
  expect(await text('/console/target?name=gone', some)).not.toContain('Replay all of these')
  const { headers } = await post('/console/drop-forwards?target=gone&state=dead&reason=answered+500', '', some)
  const runner = startChangeRunner({ inbox: own, log: await createLog('silent') }, 5)
  await eventually('the end', async () => (await own.actions({ limit: 1 }))[0]?.state === 'done')
  await runner.stop()
  expect(await text(String(headers.location), some)).toMatch(
    /drop target done 1 changed .* which gone dead: answered 500/,
  )
  expect(await text('/console/event?id=evt_gone', some)).toMatch(/dropped gone dropped by ada/)
  expect(await text('/console/failures', some)).not.toContain('gone')
  expect(await text('/console', some)).not.toContain('Target gone')
  await some.close()
})

describe.skipIf(browser === undefined)('in a browser', () => {
  if (browser === undefined) return

  it.each([
    '/console/targets',
    '/console/target?name=shop',
    '/console/target?name=gone',
    '/console/event?id=evt_dead',
    '/console/event?id=evt_delivered',
    '/console/failures',
    '/console/actions',
  ])('%s fits, and runs nothing of a stranger, light and dark', async (path) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await openConsolePage(browser, rig, path, { colorScheme })
      await page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
      await expectFit(page)
      expect(await page.evaluate("'hacked' in window")).toBe(false)
      expect(await page.locator('main script, main img').count()).toBe(0)
    }
  })

  it('is held, resumed and replayed by the keyboard alone', async () => {
    const page = await openConsolePage(browser, rig, '/console/targets')
    await page.keyboard.press('j')
    await follow(page, () => page.keyboard.press('Enter'))
    await page.waitForURL('**/console/target?name=shop')
    await page.locator('summary', { hasText: 'Hold…' }).focus()
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    await page.keyboard.type('moving')
    await follow(page, () => page.keyboard.press('Enter'))
    await page.getByText(/held for .* by ada: moving/).waitFor()
    await page.getByRole('button', { name: 'Resume shop' }).focus()
    await follow(page, () => page.keyboard.press('Enter'))
    await page.getByText('2 dead, 1 held', { exact: true }).waitFor()
    await page.goto('/console/event?id=evt_held')
    await page.locator('[data-row]', { hasText: 'shop' }).focus()
    await page.keyboard.press('r')
    await follow(page, () => page.keyboard.press('Enter'))
    expect(await page.getByRole('status').textContent()).toBe('Replayed: it is sent to the target now.')
    expect(await forwardOf('evt_held')).toMatchObject({ state: 'pending', replays: 1 })
    await page.goto('/console/failures')
    await page.getByText('2', { exact: true }).waitFor()
    await page
      .locator('tr', { hasText: 'answered 500' })
      .filter({ hasText: 'shop' })
      .getByRole('button', { name: 'Replay' })
      .focus()
    await follow(page, () => page.keyboard.press('Enter'))
    await page.getByRole('heading', { name: 'replay target' }).waitFor()
  })
})
