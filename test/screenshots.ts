import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { accounts, openDemoConsole } from '../src/cli/demo/console.ts'
import { planEvent } from '../src/cli/demo/plan.ts'
import { sendAll } from '../src/cli/demo/run.ts'
import type { EventType } from '../src/event.ts'
import { launchBrowser } from './support/browser.ts'
import { eventually } from './support/eventually.ts'
import { makeUpPast } from './support/made-up-past.ts'

// `npm run screenshots`: the pictures of docs/console.md anew, of the demo's console with a past that is made up.

const folder = fileURLToPath(new URL('../docs/screenshots/', import.meta.url))
const [WIDTH, HEIGHT] = [1_280, 800]
const ordinary: readonly EventType[] = [
  'payment_intent.succeeded',
  'invoice.payment_failed',
  'payment_intent.succeeded',
  'charge.refunded',
  'v1.payment_intent.succeeded',
  'payout.paid',
  'payment_intent.succeeded',
  'account.updated',
  'payment_method.attached',
  'payment_intent.payment_failed',
  'payment_intent.succeeded',
]
/** Each as one of so many. */
const rare: readonly (readonly [EventType, number])[] = [
  ['customer.created', 149],
  ['customer.subscription.updated', 61],
  ['invoice.finalized', 97],
  ['checkout.session.completed', 131],
]
/** In each minute of three hours. Waves, not chance, so that pictures made anew are alike. */
const perMinute = Array.from({ length: 180 }, (_, minute) =>
  Math.round(9 + 4 * Math.sin(minute / 11) + 2 * Math.sin(minute / 2.3) + 2 * Math.sin(minute * 1.7)),
)

const browser = await launchBrowser()
if (browser === undefined) throw new Error('There is no browser to take pictures with.')
const { service, config, password } = await openDemoConsole()
const { inbox } = service
const total = perMinute.reduce((sum, count) => sum + count, 0)
await sendAll(
  service,
  config,
  Array.from({ length: total }, (_, index) => plan(index)),
)
await eventually('each to be tried', async () => {
  const waiting = await inbox.list({ states: ['pending', 'running'] }, { limit: 500 })
  return waiting.every(({ state, attempts }) => state === 'pending' && attempts > 0)
})
await eventually(
  'a circuit to open',
  async () => (await inbox.forwards.states()).some(({ state }) => state.open),
  90_000,
)
makeUpPast(fileURLToPath(config.databaseUrl), perMinute)

const [failing] = await inbox.list({ type: 'invoice.finalized', states: ['pending'] }, { limit: 1 })
const pages = {
  overview: '/console',
  events: '/console/events',
  event: `/console/event?${new URLSearchParams({ id: failing?.eventId ?? '' })}`,
  failures: '/console/failures',
  targets: '/console/targets',
  target: '/console/target?name=bookkeeping',
}
await mkdir(folder, { recursive: true })
const page = await browser.newPage({
  viewport: { width: WIDTH, height: HEIGHT },
  httpCredentials: { username: 'ada', password },
  ...({ locale: 'en-US', timezoneId: 'UTC', colorScheme: 'light', reducedMotion: 'reduce' } as const),
})
for (const [name, path] of Object.entries(pages)) {
  const answer = await page.goto(service.adminUrl + path)
  if (!answer?.ok()) throw new Error(`There is no picture of ${path}: it answered ${answer?.status()}.`)
  const main = await page.locator('main').boundingBox()
  // A short page is cut where it ends.
  const height = main === null ? HEIGHT : Math.min(HEIGHT, Math.ceil(main.y + main.height))
  const clip = { x: 0, y: 0, width: WIDTH, height }
  await page.screenshot({ path: join(folder, `${name}.png`), clip, animations: 'disabled' })
}
await browser.close()
await service.stop()

function plan(index: number) {
  const type = rare.find(([, every]) => index % every === every - 1)?.[0] ?? ordinary[index % ordinary.length]
  const route = type === 'account.updated' || index % 5 === 0 ? 'connect' : 'account'
  return planEvent(type ?? 'payout.failed', route, new Date(), accounts[index % accounts.length])
}
