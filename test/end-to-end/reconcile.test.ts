import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EntryDetail } from '../../src/inbox/inbox.ts'
import { openSqliteInbox } from '../../src/inbox/sqlite/inbox.ts'
import { type EventsAtStripe, isoAgo, secondsAgo, serveEvents, toJson } from '../reconcile/events-at-stripe.ts'
import { deliver } from '../support/deliver.ts'
import { SITE, v2Destination } from '../support/destinations-double.ts'
import { eventually } from '../support/eventually.ts'
import { newEntry } from '../support/new-entry.ts'
import { runCli } from '../support/run-cli.ts'
import { makeScratch } from '../support/scratch.ts'
import { CONNECT_SECRET, thinJson } from '../support/sign.ts'
import { type ServerProcess, spawnServer } from '../support/spawn-server.ts'
import { resourceMissing, type StripeApiDouble, startStripeApiDouble } from '../support/stripe-api-double.ts'

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
  server?.kill('SIGKILL')
  await server?.exited
  server = undefined
  const { problems } = api
  await api.close()
  await scratch.remove()
  expect(problems).toEqual([])
})

const databaseFile = () => join(scratch.path, 'data', 'inbox.db')

async function start(env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
  server = await spawnServer({
    folder: scratch.path,
    env: { STRIPE_API_KEY: api.key, STRIPE_API_BASE: api.url, RECONCILE_MINUTES: '0', ...env },
  })
  return server
}

async function find(eventId: string): Promise<EntryDetail | undefined> {
  const inbox = await openSqliteInbox(databaseFile(), 'command')
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
const lineOf = (running: ServerProcess, eventId: string) =>
  eventually(`the line of ${eventId}`, () => running.lines().find((line) => line.eventId === eventId))

describe('after an outage', () => {
  it('a start fetches what was missed, for the platform and the accounts seen, and each event is handled once', async () => {
    const inbox = await openSqliteInbox(databaseFile(), 'server')
    await inbox.add(newEntry({ account: 'acct_1' }))
    await inbox.close()
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

  it('nothing is asked when it is off, and a command beside the server brings what is missing', async () => {
    const running = await start()
    const event = stripe.add()
    expect(await deliver(`${running.url}/webhook`, thinJson({ type: 'v2.core.event_destination.ping' }))).toBe(200)
    expect(stripe.listings()).toEqual([])
    const { code } = await runCli(['reconcile'], {
      env: { DATABASE_URL: `file:${databaseFile()}`, STRIPE_API_KEY: api.key, STRIPE_API_BASE: api.url },
    })
    expect(code).toBe(0)
    await inState(event.id, 'handled')
  })
})

it('a start fetches thin events that were missed, where thin destinations send them, and each is handled for its account', async () => {
  const inbox = await openSqliteInbox(databaseFile(), 'server')
  await inbox.add(newEntry({ account: 'acct_1' }))
  for (const name of ['platform', 'acct_1']) {
    await inbox.writeNote(`reconciled thin ${name}`, isoAgo(3 * 86_400))
  }
  await inbox.close()
  stripe.destinations.v2 = [
    v2Destination({ event_payload: 'thin', events_from: ['@self'] }),
    v2Destination({ event_payload: 'thin', events_from: ['@accounts'], url: `${SITE}/webhook/connect` }),
  ]
  const [own, ofAccount] = [null, 'acct_1'].map((account) => stripe.addThin({ account, created: isoAgo(86_400) }))
  stripe.add()
  api.route('GET', /^\/v1\/payouts\//, ({ path }) => ({
    body: {
      id: path.split('/').at(-1),
      object: 'payout',
      amount: 1250,
      currency: 'usd',
      failure_code: 'account_closed',
    },
  }))
  const running = await start({ RECONCILE_MINUTES: '15' })
  for (const id of [own?.id, ofAccount?.id]) {
    const { entry, attempts } = await inState(id ?? '', 'handled')
    expect([entry.source, attempts.length]).toEqual(['reconcile', 1])
    expect(await lineOf(running, id ?? '')).toMatchObject({ objectId: `po_${id}`, amount: '12.50' })
  }
  const fetched = api.requests.filter(({ path }) => path.startsWith('/v1/payouts/'))
  expect(new Set(fetched.map(({ headers }) => headers['stripe-context']))).toEqual(new Set([undefined, 'acct_1']))
  // Snapshot events of these types are for another endpoint of the account.
  expect(stripe.listings()).toEqual([])
})

describe('a thin event', () => {
  const thin = (id: string, payout: string) =>
    thinJson({
      id,
      type: 'v1.payout.failed',
      context: 'acct_1',
      related_object: { id: payout, type: 'payout', url: `/v1/payouts/${payout}` },
    })
  const post = (running: ServerProcess, body: string) =>
    deliver(`${running.url}/webhook/connect`, body, { secret: CONNECT_SECRET })

  it('is handled with its related object, fetched for its account; without it, it is dead, and one line says why', async () => {
    const body = { id: 'po_1', object: 'payout', amount: 1250, currency: 'usd', failure_code: 'account_closed' }
    api.route('GET', '/v1/payouts/po_1', () => ({ body }))
    api.route('GET', '/v1/payouts/po_2', () => resourceMissing('payout', 'po_2'))
    const running = await start()
    expect(await post(running, thin('evt_here', 'po_1'))).toBe(200)
    await inState('evt_here', 'handled')
    expect(await lineOf(running, 'evt_here')).toMatchObject({ objectId: 'po_1', amount: '12.50' })
    expect(api.requests.map(({ headers }) => headers['stripe-context'])).toEqual(['acct_1'])

    expect(await post(running, thin('evt_gone', 'po_2'))).toBe(200)
    const { entry, attempts } = await inState('evt_gone', 'dead')
    expect(attempts).toHaveLength(1)
    expect(entry.reason).toContain('its object is gone')
    await lineOf(running, 'evt_gone')
    expect(running.lines().filter(({ eventId }) => eventId === 'evt_gone')).toMatchObject([
      { level: 50, account: 'acct_1', reason: expect.stringContaining('its object is gone') },
    ])
  })

  it('whose fetch hangs is cut off with its attempt, and so is its connection', async () => {
    api.route('GET', '/v1/payouts/po_1', () => 'hang')
    const running = await start({ HANDLER_TIMEOUT_MS: '300' })
    expect(await post(running, thin('evt_thin', 'po_1'))).toBe(200)
    await eventually('the attempt to end', async () => (await find('evt_thin'))?.attempts.length === 1)
    await eventually('the connection to end', () => api.requests[0]?.isAborted())
    expect((await find('evt_thin'))?.entry).toMatchObject({
      state: 'pending',
      reason: expect.stringContaining('300 ms'),
    })
    expect(api.requests).toHaveLength(1)
  })
})
