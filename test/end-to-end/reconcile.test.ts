import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EntryDetail } from '../../src/inbox/inbox.ts'
import { openSqliteInbox } from '../../src/inbox/sqlite/inbox.ts'
import { type EventsAtStripe, secondsAgo, serveEvents, toJson } from '../reconcile/undelivered-events.ts'
import { deliver } from '../support/deliver.ts'
import { eventually } from '../support/eventually.ts'
import type { LogLine } from '../support/log-lines.ts'
import { runCli } from '../support/run-cli.ts'
import { makeScratch } from '../support/scratch.ts'
import { CONNECT_SECRET, thinJson } from '../support/sign.ts'
import { type ServerProcess, spawnServer } from '../support/spawn-server.ts'
import {
  accountInvalid,
  rateLimited,
  resourceMissing,
  type StripeApiDouble,
  startStripeApiDouble,
} from '../support/stripe-api-double.ts'

let api: StripeApiDouble
let stripe: EventsAtStripe
let scratch: Awaited<ReturnType<typeof makeScratch>>
let server: ServerProcess | undefined
beforeEach(async () => {
  api = await startStripeApiDouble()
  stripe = serveEvents(api)
  scratch = await makeScratch()
})
afterEach(async () => {
  await stop('SIGKILL')
  const { problems } = api
  await api.close()
  await scratch.remove()
  expect(problems).toEqual([])
})

async function start(env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
  server = await spawnServer({
    folder: scratch.path,
    env: { STRIPE_API_KEY: api.key, STRIPE_API_BASE: api.url, RECONCILE_MINUTES: '0', ...env },
  })
  return server
}

async function stop(signal: NodeJS.Signals): Promise<void> {
  server?.kill(signal)
  await server?.exited
}

async function find(eventId: string): Promise<EntryDetail | undefined> {
  const inbox = await openSqliteInbox(join(scratch.path, 'data', 'inbox.db'), 'command')
  try {
    return await inbox.get(eventId)
  } finally {
    await inbox.close()
  }
}

const inState = (eventId: string, state: string) =>
  eventually(`${eventId} to be ${state}`, async () => {
    const found = await find(eventId)
    return found?.entry.state === state && found
  })
const linesOf = (running: ServerProcess, eventId: string): LogLine[] =>
  running.lines().filter((line) => line.eventId === eventId)
const connect = { secret: CONNECT_SECRET }

describe('after an outage', () => {
  it('a start fetches what was missed, for the platform and the accounts seen, and each event is handled once', async () => {
    const before = await start()
    await deliver(
      `${before.url}/webhook/connect`,
      thinJson({ type: 'v1.account.external_account.updated', context: 'acct_1' }),
      connect,
    )
    await stop('SIGTERM')
    const [own, ofAccount] = [stripe.add({ created: secondsAgo(3_600) }), stripe.add({ account: 'acct_1' })]
    const running = await start({ RECONCILE_MINUTES: '15' })
    for (const { id } of [own, ofAccount]) {
      const { entry, attempts } = await inState(id, 'handled')
      expect([entry.source, attempts.length]).toEqual(['reconcile', 1])
    }
    // Stripe goes on delivering, since nobody tells it.
    expect(await deliver(`${running.url}/webhook`, JSON.stringify(toJson(own)))).toBe(200)
    expect((await find(own.id))?.attempts).toHaveLength(1)
    const metrics = await (await fetch(`${running.adminUrl}/metrics`)).text()
    expect(metrics).toContain('stripe_receiver_recovered_total{type="payout.failed"} 2')
    expect(metrics).toContain('stripe_receiver_undelivered 2')
    expect(metrics).toMatch(/stripe_receiver_reconcile_last_success_timestamp_seconds 1\d{9}/)
  })

  it('a kill in the middle loses nothing: the next start goes on', async () => {
    for (let age = 250; age > 0; age -= 1) stripe.add({ created: secondsAgo(age) })
    api.route('GET', '/v1/events', (request) => (stripe.listings().length > 4 ? 'hang' : stripe.answer(request)))
    await start({ RECONCILE_MINUTES: '15' })
    await eventually('the listing that hangs', () => stripe.listings().length > 4)
    await stop('SIGKILL')
    api.route('GET', '/v1/events', stripe.answer)
    await runCli(['reconcile'], {
      env: {
        DATABASE_URL: `file:${join(scratch.path, 'data', 'inbox.db')}`,
        STRIPE_API_KEY: api.key,
        STRIPE_API_BASE: api.url,
      },
    })
    for (const id of ['evt_1', 'evt_100', 'evt_250']) expect(await find(id)).toBeDefined()
  })

  it('nothing is asked when it is off, and a command beside the server brings what is missing', async () => {
    const running = await start()
    const event = stripe.add()
    expect(await deliver(`${running.url}/webhook`, thinJson({ type: 'v2.core.event_destination.ping' }))).toBe(200)
    expect(stripe.listings()).toEqual([])
    const { code } = await runCli(['reconcile'], {
      env: {
        DATABASE_URL: `file:${join(scratch.path, 'data', 'inbox.db')}`,
        STRIPE_API_KEY: api.key,
        STRIPE_API_BASE: api.url,
      },
    })
    expect(code).toBe(0)
    await inState(event.id, 'handled')
  })

  it('nothing is asked without a key, whatever the minutes', async () => {
    const event = stripe.add()
    const env = { STRIPE_API_BASE: api.url, RECONCILE_MINUTES: '15' }
    server = await spawnServer({ folder: scratch.path, env })
    expect(await deliver(`${server.url}/webhook`, JSON.stringify(toJson(event)))).toBe(200)
    await inState(event.id, 'handled')
    await stop('SIGTERM')
    expect(api.requests).toEqual([])
  })

  it('a server that stops in the middle of a listing ends at once', async () => {
    api.route('GET', '/v1/events', () => 'hang')
    // Waited for that long, the test would run out of its time.
    await start({ RECONCILE_MINUTES: '15', SHUTDOWN_TIMEOUT_MS: '60000' })
    await eventually('a listing', () => stripe.listings().length > 0)
    await stop('SIGTERM')
    expect((await server?.exited)?.code).toBe(0)
  })
})

describe('a thin event', () => {
  const related_object = { id: 'po_1', type: 'payout', url: '/v1/payouts/po_1' }
  const thin = (id: string) => thinJson({ id, type: 'v1.payout.failed', context: 'acct_1', related_object })

  it('is handled with its related object, fetched for its account', async () => {
    const body = { id: 'po_1', object: 'payout', amount: 1250, currency: 'usd', failure_code: 'account_closed' }
    let calls = 0
    api.route('GET', related_object.url, () => (calls++ === 0 ? rateLimited(1) : { body }))
    const running = await start()
    await deliver(`${running.url}/webhook/connect`, thin('evt_thin'), connect)
    await inState('evt_thin', 'handled')
    const [line] = await eventually(
      'the line',
      () => linesOf(running, 'evt_thin').length > 0 && linesOf(running, 'evt_thin'),
    )
    expect(line).toMatchObject({ objectId: 'po_1', amount: '12.50' })
    expect(api.requests.map(({ headers }) => headers['stripe-context'])).toEqual(['acct_1', 'acct_1'])
  })

  it.each([
    ['whose object is gone', resourceMissing('payout', 'po_1'), 'related object is gone'],
    ['of an account that left', accountInvalid('acct_1'), 'account no longer connected: acct_1'],
  ])('%s is dead at once, and one line says why', async (_name, answer, reason) => {
    api.route('GET', related_object.url, () => answer)
    const running = await start()
    await deliver(`${running.url}/webhook/connect`, thin('evt_thin'), connect)
    const { entry, attempts } = await inState('evt_thin', 'dead')
    expect(attempts).toHaveLength(1)
    expect(entry.reason).toContain(reason)
    const lines = await eventually(
      'the line',
      () => linesOf(running, 'evt_thin').length > 0 && linesOf(running, 'evt_thin'),
    )
    expect(lines).toMatchObject([{ level: 50, account: 'acct_1', reason: expect.stringContaining(reason) }])
  })

  it('whose fetch hangs is cut off with its attempt, and so is its connection', async () => {
    api.route('GET', related_object.url, () => 'hang')
    const running = await start({ HANDLER_TIMEOUT_MS: '300' })
    await deliver(`${running.url}/webhook/connect`, thin('evt_thin'), connect)
    await eventually('the attempt to end', async () => (await find('evt_thin'))?.attempts.length === 1)
    await eventually('the connection to end', () => api.requests[0]?.isAborted())
    expect((await find('evt_thin'))?.entry).toMatchObject({
      state: 'pending',
      reason: expect.stringContaining('300 ms'),
    })
    expect(api.requests).toHaveLength(1)
  })
})
