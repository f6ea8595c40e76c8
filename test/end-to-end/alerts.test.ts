import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { serveEvents } from '../reconcile/events-at-stripe.ts'
import { type AlertReceiver, startAlertReceiver } from '../support/alert-receiver.ts'
import { deliver } from '../support/deliver.ts'
import { eventually } from '../support/eventually.ts'
import { makeScratch } from '../support/scratch.ts'
import { type ScriptedServer, scriptedJson, startScripted } from '../support/scripted-server.ts'
import { startStripeApiDouble } from '../support/stripe-api-double.ts'
import { startTargetServer } from '../support/target-server.ts'
import { targetAt, writeTargets } from '../support/write-targets.ts'

const TOKEN = 'secrettoken'

let receiver: AlertReceiver
let server: ScriptedServer
beforeEach(async () => {
  receiver = await startAlertReceiver()
})
afterEach(async () => {
  await server.remove()
  await receiver.close()
})

async function start(env: Record<string, string> = {}, more: { folder?: string } = {}): Promise<void> {
  const alertUrl = `${receiver.url}/services/${TOKEN}`
  server = await startScripted({ ALERT_URL: alertUrl, MAX_ATTEMPTS: '1', ...env }, more)
}

const post = (body: string, secret?: string) => deliver(`${server.url}/webhook`, body, secret ? { secret } : {})
const counts = () => server.withInbox((inbox) => inbox.counts())

/** Delivers events whose handler throws, and waits until they are dead. */
async function letDie(...ids: string[]): Promise<void> {
  for (const id of ids)
    expect(await post(scriptedJson({ throws: 'card gateway <!channel> timed out' }, { id }))).toBe(200)
  await eventually('them to be dead', async () => (await counts()).dead === ids.length)
}

describe('an event that dies', () => {
  it('is told of, without its payload, and the URL is told nowhere', async () => {
    await start({ STRIPE_MODE: 'test', LOG_LEVEL: 'trace' })
    await letDie('evt_1')
    const [alert] = await eventually('the alert', () => receiver.alerts.length > 0 && receiver.alerts)
    expect(alert).toMatchObject({
      path: `/services/${TOKEN}`,
      json: {
        kind: 'event_died',
        mode: 'test',
        count: 1,
        eventType: 'payout.failed',
        eventIds: ['evt_1'],
        hint: 'npm run events -- list --state dead --type payout.failed',
      },
    })
    expect(alert?.json.text).toContain('payout.failed: 1 event died, evt_1: `')
    expect(alert?.json.text).toContain('card gateway &lt;!channel&gt; timed out')
    expect(JSON.stringify(alert?.json)).not.toContain('po_evt_1')
    await eventually('the log of it', () => server.lines().find(({ msg }) => msg === 'alert sent'))
    server.kill('SIGTERM')
    expect(await server.exited).toMatchObject({ code: 0 })
    expect(server.text()).not.toContain(TOKEN)
  })

  it('is told of before the end when it died a moment ago', async () => {
    await start()
    await letDie('evt_1')
    await eventually('the first alert', () => receiver.alerts.length === 1)
    await letDie('evt_1', 'evt_2', 'evt_3')
    server.kill('SIGTERM')
    expect(await server.exited).toMatchObject({ code: 0 })
    expect(receiver.alerts.slice(1)).toMatchObject([{ json: { count: 2, eventIds: ['evt_2', 'evt_3'] } }])
    expect(server.lines().filter(({ msg }) => msg === 'alert sent')).toHaveLength(2)
  })
})

describe('refused signatures', () => {
  it('are told of once there are more than five', async () => {
    await start()
    for (let index = 0; index < 6; index += 1) {
      expect(receiver.alerts).toEqual([])
      expect(await post(scriptedJson({}, { id: `evt_${index}` }), 'whsec_of_someone_else')).toBe(400)
    }
    const [alert] = await eventually('the alert', () => receiver.alerts.length > 0 && receiver.alerts)
    expect(alert?.json).toMatchObject({ kind: 'signatures_refused', codes: { signature_mismatch: 6 } })
  })
})

it('what Stripe could not deliver is told of once reconcile has added it', async () => {
  const api = await startStripeApiDouble()
  onTestFinished(() => api.close())
  const stripe = serveEvents(api)
  for (let index = 0; index < 3; index += 1) stripe.add({})
  await start({ STRIPE_API_KEY: api.key, STRIPE_API_BASE: api.url })
  const [alert] = await eventually('the alert', () => receiver.alerts.length > 0 && receiver.alerts)
  expect(alert?.json).toMatchObject({ kind: 'undelivered', count: 3, types: { 'payout.failed': 3 } })
})

describe('a receiver that fails disturbs nothing', () => {
  it.each([
    ['hangs', 'hang', undefined],
    ['answers 500', 500, 'status 500'],
  ] as const)('when it %s: events are handled, and the stop is on time', async (_name, behaviour, answer) => {
    receiver.behaviour = behaviour
    await start({ SHUTDOWN_TIMEOUT_MS: '4000', LOG_LEVEL: 'trace' })
    await letDie('evt_1')
    await eventually('the try', () => receiver.alerts.length === 1)
    if (answer !== undefined) {
      const failed = await eventually('the log of it', () =>
        server.lines().find(({ msg }) => msg === 'alert not sent; will try again'),
      )
      expect(failed).toMatchObject({ kind: 'event_died', answer })
    }
    for (let index = 0; index < 20; index += 1)
      expect(await post(scriptedJson({}, { id: `evt_good_${index}` }))).toBe(200)
    await eventually('all to be handled', async () => (await counts()).handled === 20)
    server.kill('SIGTERM')
    // Code 0: all had ended within SHUTDOWN_TIMEOUT_MS, which is less than a message may take.
    expect(await server.exited).toMatchObject({ code: 0 })
    expect(server.text()).not.toContain(TOKEN)
  })
})

it('a target that asks to be left alone is told of, with why it is held', async () => {
  const scratch = await makeScratch()
  onTestFinished(scratch.remove)
  const target = await startTargetServer((response) => void response.writeHead(410).end())
  await start(await writeTargets(scratch.path, { shop: targetAt(target.url) }))
  expect(await post(scriptedJson({}, { id: 'evt_1' }))).toBe(200)
  const [alert] = await eventually('the alert', () => receiver.alerts.length > 0 && receiver.alerts)
  expect(alert?.json).toMatchObject({
    ...{ kind: 'target_held', target: 'shop', reason: 'it answered 410' },
    hint: 'npm run targets -- resume shop',
  })
})

it('what a target refuses for good is told, with where to look', async () => {
  const scratch = await makeScratch()
  onTestFinished(scratch.remove)
  const target = await startTargetServer((response) => void response.writeHead(422).end())
  await start(await writeTargets(scratch.path, { shop: targetAt(target.url, 'final: [422]') }))
  expect(await post(scriptedJson({}, { id: 'evt_1' }))).toBe(200)
  const [alert] = await eventually('the alert', () => receiver.alerts.length > 0 && receiver.alerts)
  expect(alert?.json).toMatchObject({
    ...{ kind: 'forward_died', target: 'shop', reason: 'answered 422', eventIds: ['evt_1'] },
    hint: 'npm run targets -- show shop',
  })
})

it('what a `where` that throws holds is told, and that TARGETS names its target no more', async () => {
  const scratch = await makeScratch()
  onTestFinished(scratch.remove)
  const where = "where() { throw new Error('no such field') }"
  await start(await writeTargets(scratch.path, { shop: targetAt('http://127.0.0.1:9', where) }))
  expect(await post(scriptedJson({}, { id: 'evt_1' }))).toBe(200)
  const [alert] = await eventually('the alert', () => receiver.alerts.length > 0 && receiver.alerts)
  const reason = 'its `where` threw Error: no such field'
  expect(alert?.json).toMatchObject({ kind: 'forward_held', target: 'shop', reason, eventIds: ['evt_1'] })
  expect(server.lines()).toContainEqual(expect.objectContaining({ level: 40, target: 'shop', reason, forwards: 1 }))
  server.kill('SIGKILL')
  await server.exited
  await start({}, { folder: server.folder })
  await eventually('the warning', () =>
    server.lines().some(({ level, targets }) => level === 40 && `${targets}` === 'shop'),
  )
})
