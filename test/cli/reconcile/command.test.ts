import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type EventsAtStripe, secondsAgo, serveEvents, typesOf } from '../../reconcile/events-at-stripe.ts'
import { snapshotHandled } from '../../support/destinations-double.ts'
import { newEntry } from '../../support/new-entry.ts'
import { type CliResult, runCli } from '../../support/run-cli.ts'
import { makeScratch } from '../../support/scratch.ts'
import {
  accountInvalid,
  apiError,
  type StripeApiDouble,
  startStripeApiDouble,
} from '../../support/stripe-api-double.ts'
import { type EventsInbox, makeEventsInbox, parseLines } from '../events/inbox.ts'

let api: StripeApiDouble
let stripe: EventsAtStripe
let inbox: EventsInbox
beforeEach(async () => {
  api = await startStripeApiDouble()
  stripe = serveEvents(api)
  inbox = await makeEventsInbox([{ eventId: 'evt_here', state: 'handled', account: 'acct_1' }])
})
afterEach(async () => {
  const { problems } = api
  await api.close()
  await inbox.remove()
  expect(problems).toEqual([])
})

const run = (args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<CliResult> =>
  runCli(['reconcile', ...args], {
    env: { ...inbox.env, STRIPE_API_KEY: api.key, STRIPE_API_BASE: api.url, ...env },
  })

async function entriesOf(...eventIds: string[]) {
  const opened = await inbox.open()
  const found = await Promise.all(eventIds.map((eventId) => opened.get(eventId)))
  await opened.close()
  return found.map((detail) => detail?.entry)
}

/** Five undelivered events, of which the inbox has one. */
async function putFive(): Promise<void> {
  for (const age of [50, 40, 30]) stripe.add({ created: secondsAgo(age) })
  stripe.add({ type: 'account.updated', account: 'acct_1' })
  stripe.add({ type: 'invoice.paid' })
  const opened = await inbox.open()
  await opened.add(newEntry({ eventId: 'evt_2' }))
  await opened.close()
}

const types = snapshotHandled.length
const TABLE = new RegExp(
  `^TYPE +UNDELIVERED +MISSING +ADDED\npayout\\.failed +3 +2 +(\\d)\naccount\\.updated +1 +1 +(\\d)\n\n4 events undelivered at Stripe, of ${types} types in 2 accounts; (.*)\\.\n$`,
)

describe('reconcile', () => {
  it('adds what is missing and prints how many by type', async () => {
    await putFive()
    const { code, stdout, stderr } = await run()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(TABLE.exec(stdout)?.slice(1)).toEqual(['2', '1', '3 events added'])
    expect(await entriesOf('evt_1', 'evt_2', 'evt_3', 'evt_4')).toMatchObject([
      { state: 'pending', source: 'reconcile', account: null },
      { source: 'delivery' },
      { source: 'reconcile' },
      { source: 'reconcile', account: 'acct_1', route: 'connect' },
    ])
    expect(await entriesOf('evt_5')).toEqual([undefined])
  })

  it('sends what it adds to the targets that take it, also where no handler does', async () => {
    await putFive()
    const module = join(dirname(inbox.path), 'targets.mjs')
    const shop = `{ url: 'http://127.0.0.1:1', secrets: [{ variable: 'SHOP' }], sign: 'stripe', types: ['invoice.paid'] }`
    await writeFile(module, `export const targets = { shop: ${shop} }`)
    expect(await run([], { TARGETS: module, SHOP: 'whsec_shop_secret_1' })).toMatchObject({ code: 0, stderr: '' })
    const opened = await inbox.open()
    const forwards = await opened.forwards.list({ target: 'shop' }, { limit: 10 })
    await opened.close()
    expect(forwards).toMatchObject([{ eventId: 'evt_5', type: 'invoice.paid', state: 'pending' }])
  })

  it('adds nothing in a dry run', async () => {
    await putFive()
    const { code, stdout } = await run(['--dry-run'])
    expect(code).toBe(0)
    expect(TABLE.exec(stdout)?.slice(1)).toEqual(['0', '0', '3 events missing would be added'])
    expect(await entriesOf('evt_1', 'evt_3', 'evt_4')).toEqual([undefined, undefined, undefined])
  })

  it('fits a terminal of 80 columns, and shortens no type in a pipe', async () => {
    const type = 'financial_connections.account.refreshed_transactions'
    const path = join(inbox.path, '..', 'handlers.ts')
    await writeFile(path, `export const handlers = { '${type}': () => {} }\n`)
    stripe.add({ type })
    const env = { ...inbox.env, STRIPE_API_KEY: api.key, STRIPE_API_BASE: api.url, HANDLERS: path }
    const { stdout } = await runCli(['reconcile', '--dry-run'], { env, columns: 80 })
    const [header = '', row = ''] = stdout.split('\n')
    expect(header).toHaveLength(80)
    expect(row.length).toBeLessThanOrEqual(80)
    expect(row).toMatch(/^financial_\S+…\S+_transactions +1 +1 +0$/)
    expect((await run(['--dry-run'], { HANDLERS: path })).stdout).toContain(`\n${type} `)
  })

  it('prints one JSON object', async () => {
    await putFive()
    const { stdout, stderr } = await run(['--json'])
    expect(stderr).toBe('')
    expect(parseLines(stdout)).toEqual([
      {
        dryRun: false,
        undelivered: 4,
        missing: 3,
        added: 3,
        accounts: 2,
        types: {
          'payout.failed': { undelivered: 3, missing: 2, added: 2 },
          'account.updated': { undelivered: 1, missing: 1, added: 1 },
        },
        refusals: [],
        unlisted: [],
      },
    ])
  })

  it('looks as far back as --since, for the one account', async () => {
    stripe.add({ account: 'acct_1', created: secondsAgo(3 * 86_400) })
    const young = stripe.add({ account: 'acct_1', created: secondsAgo(60) })
    stripe.add({ created: secondsAgo(60) })
    const { stdout } = await run(['--since', '2h', '--account', 'acct_1'])
    expect(stdout).toContain(`1 event undelivered at Stripe, of ${types} types in 1 account; 1 event added.`)
    expect(await entriesOf(young.id)).toMatchObject([{ source: 'reconcile' }])
  })

  it('looks for the types of a module of HANDLERS alone', async () => {
    const path = join(inbox.path, '..', 'handlers.ts')
    await writeFile(path, "export const handlers = { 'invoice.paid': () => {}, 'v1.invoice.paid': () => {} }\n")
    await putFive()
    const { stdout } = await run(['--since', '2h'], { HANDLERS: path })
    expect(stdout).toContain('1 event undelivered at Stripe, of 1 type')
    expect(typesOf(stripe.listings()[0]?.query ?? new URLSearchParams())).toEqual(['invoice.paid'])
  })

  it('adds to the lane that HANDLERS names, and warns where it names none', async () => {
    const path = join(inbox.path, '..', 'handlers.ts')
    const lane = "export const lane = (event) => (event.type === 'payout.failed' ? 'all-payouts' : Number.NaN)"
    await writeFile(path, `export const handlers = { 'payout.failed'() {}, 'payout.paid'() {} }\n${lane}\n`)
    const [failed, paid] = [stripe.add({ created: secondsAgo(50) }), stripe.add({ type: 'payout.paid' })]
    const { stderr } = await run(['--since', '2h'], { HANDLERS: path })
    const [first, second] = await entriesOf(failed.id, paid.id)
    expect(first?.lane).toBe('/all-payouts')
    expect(second?.lane).toBe(`/${second?.objectId}`)
    expect(stderr).toMatch(
      /^warning: `lane` of HANDLERS names no lane for this type; .* \(.*payout\.paid: .* of type number/m,
    )
  })

  it('says when Stripe has nothing', async () => {
    const { code, stdout } = await run()
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `0 events undelivered at Stripe, of ${types} types in 2 accounts; none was missing.\n`,
    })
  })
})

describe('with --all', () => {
  it('compares 30 days, whatever became of deliveries and of the last run, and says so', async () => {
    const opened = await inbox.open()
    await opened.writeNote('reconciled platform', new Date().toISOString())
    await opened.close()
    stripe.connected.push('acct_2')
    const old = stripe.add({ created: secondsAgo(20 * 86_400), isDelivered: true })
    stripe.add({ account: 'acct_2', isDelivered: true })
    const dry = await run(['--all', '--dry-run'])
    expect(dry.stdout).toMatch(
      /^TYPE +LISTED +MISSING +ADDED\npayout\.failed +2 +2 +0\n\n2 events listed by Stripe, of \d+ types in 3 accounts; 2 events missing would be added\.\n$/,
    )
    expect(await entriesOf(old.id)).toEqual([undefined])
    const { code, stdout } = await run(['--all', '--json'])
    expect(code).toBe(0)
    expect(parseLines(stdout)).toMatchObject([{ listed: 2, missing: 2, added: 2, accounts: 3 }])
    expect(await entriesOf(old.id)).toMatchObject([{ source: 'reconcile' }])
  })

  it('goes as far back as --since', async () => {
    stripe.add({ created: secondsAgo(3 * 86_400), isDelivered: true })
    expect((await run(['--all', '--since', '2d'])).stdout).toContain('0 events listed by Stripe')
  })
})

it('warns of thin types that Stripe does not list, and is done all the same', async () => {
  const path = join(inbox.path, '..', 'handlers.ts')
  await writeFile(path, "export const handlers = { 'v1.payout.failed': () => {}, 'payout.paid': () => {} }\n")
  api.route('GET', '/v2/core/events', () => apiError(400, { message: 'Odd type' }))
  const { code, stdout, stderr } = await run(['--account', 'acct_1'], { HANDLERS: path })
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr:
      'warning: Stripe answered 400, could not list thin events of v1.payout.failed: Odd type; only deliveries bring them\n',
  })
  expect(stdout).toBe('0 events undelivered at Stripe, of 2 types in 1 account; none was missing.\n')
})

it('warns of an account that left, and is done all the same', async () => {
  api.route('GET', '/v1/events', (request) =>
    request.headers['stripe-account'] === undefined ? stripe.answer(request) : accountInvalid('acct_1'),
  )
  const { code, stdout, stderr } = await run()
  expect(code).toBe(0)
  expect(stderr).toMatch(/^warning: acct_1 is not connected to the platform of STRIPE_API_KEY: .*\n$/)
  expect(stdout).toContain('in 1 account; none was missing')
})

describe('ends with 1, and says what to do, when', () => {
  it('there is no key', async () => {
    const { code, stdout, stderr } = await runCli(['reconcile'], { env: inbox.env })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^error: STRIPE_API_KEY is not set: expected a secret or restricted API key/)
  })

  it('Stripe does not take the key', async () => {
    api.route('GET', '/v1/events', () => apiError(401, { message: `Invalid API Key provided: ${api.key}` }))
    const { code, stderr } = await run()
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^error: Stripe does not take STRIPE_API_KEY \(401\): it was rolled, .*; set STRIPE_API_KEY in \.env .*\n$/,
    )
  })

  it('Stripe does not know the account', async () => {
    api.route('GET', '/v1/events', () => accountInvalid('acct_9'))
    const { code, stderr } = await run(['--account', 'acct_9'])
    expect(code).toBe(1)
    expect(stderr).toContain('error: acct_9 is not connected to the platform of STRIPE_API_KEY')
  })

  it('Stripe cannot be reached', async () => {
    const { code, stderr } = await run([], { STRIPE_API_BASE: 'http://127.0.0.1:1' })
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^error: Stripe cannot be reached; check the network, the proxy, and STRIPE_API_BASE if it is set\n$/,
    )
  })

  it('there is no database', async () => {
    const scratch = await makeScratch()
    const { code, stderr } = await run([], { DATABASE_URL: `file:${scratch.path}/none.db` })
    await scratch.remove()
    expect(code).toBe(1)
    expect(stderr).toContain(`error: There is no inbox at ${scratch.path}/none.db.`)
    expect(api.requests).toEqual([])
  })

  it('the key is of the other mode than STRIPE_MODE', async () => {
    const { code, stderr } = await run([], { STRIPE_MODE: 'live' })
    expect(code).toBe(1)
    expect(stderr).toContain('STRIPE_API_KEY: expected a live mode key because STRIPE_MODE is live')
  })

  it("keeps to the server's budget of requests", async () => {
    const { code, stderr } = await run([], { STRIPE_REQUESTS_PER_SECOND: 'many' })
    expect(code).toBe(1)
    expect(stderr).toContain('STRIPE_REQUESTS_PER_SECOND: expected')
    expect(api.requests).toEqual([])
  })

  it.each([
    [['--since', '31d'], 'expected at most --since 30d: Stripe lists no older events'],
    [['--since', 'yesterday'], 'such as 90s, 30m, 2h or 3d'],
    [['--account', 'cus_1'], 'acct_1A2b3C4d5E6f, or a context such as acct_1A2b3C4d5E6f/acct_6F5e4D3c2B1a.'],
    [['--account', 'acct_1/'], 'Expected the id of a connected account'],
    [['now'], 'too many arguments'],
  ])('an option is wrong: %j', async (args, expected) => {
    const { code, stdout, stderr } = await run(args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(expected)
    expect(api.requests).toEqual([])
  })
})

it('needs nothing else of the configuration', async () => {
  expect((await run([], { STRIPE_WEBHOOK_SECRET: 'nonsense', PORT: 'nonsense' })).code).toBe(0)
})

it('has help with examples, at once', async () => {
  const { code, stdout } = await runCli(['reconcile', '--help'])
  expect(code).toBe(0)
  expect(stdout).toContain('Examples:\n  npm run reconcile -- --dry-run')
})
