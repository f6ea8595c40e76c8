import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'dotenv'
import Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseConfig } from '../../../src/config.ts'
import {
  type DestinationsDouble,
  permissionMissing,
  serveDestinations,
  snapshotHandled,
  thinHandled,
  v1Endpoint,
  v2Destination,
  v2Error,
} from '../../support/destinations-double.ts'
import { runCli } from '../../support/run-cli.ts'
import { makeScratch } from '../../support/scratch.ts'
import { CONNECT_SECRET, SECRET } from '../../support/sign.ts'
import { type StripeApiDouble, startStripeApiDouble } from '../../support/stripe-api-double.ts'

let api: StripeApiDouble
let double: DestinationsDouble
const start = async (key: string) => {
  await api?.close()
  api = await startStripeApiDouble({ key })
  double = serveDestinations(api)
}
beforeEach(() => start('sk_test_double1234'))
afterEach(() => api.close())

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const result = await runCli(['destination', ...args], {
    env: { STRIPE_API_KEY: api.key, STRIPE_API_BASE: api.url, ...env },
  })
  for (const secret of [api.key, SECRET, CONNECT_SECRET]) expect(result.stdout + result.stderr).not.toContain(secret)
  return result
}
const create = (...args: string[]) => run(['create', ...args])

const HERE = 'https://example.com/webhook'

describe('create', () => {
  it.each([
    [
      [HERE],
      'STRIPE_WEBHOOK_SECRET',
      { event_payload: 'snapshot', events_from: ['@self'], enabled_events: snapshotHandled },
    ],
    [
      [`${HERE}/connect`, '--connect'],
      'STRIPE_CONNECT_WEBHOOK_SECRET',
      {
        event_payload: 'snapshot',
        events_from: ['@accounts'],
        enabled_events: snapshotHandled,
      },
    ],
    [
      [HERE, '--thin'],
      'STRIPE_WEBHOOK_SECRET',
      { event_payload: 'thin', events_from: ['@self'], enabled_events: thinHandled },
    ],
    [
      [`${HERE}/connect`, '--connect', '--thin'],
      'STRIPE_CONNECT_WEBHOOK_SECRET',
      {
        event_payload: 'thin',
        events_from: ['@accounts'],
        enabled_events: thinHandled,
      },
    ],
  ])(
    'creates one with exactly the handled types, and for connected accounts those that tell of them: %j',
    async ([url = '', ...args], variable, expected) => {
      const { code, stdout, stderr } = await create('--url', url, ...args)
      const [secret = 'none'] = double.secrets
      expect({ code, stdout }).toEqual({ code: 0, stdout: `${variable}=${secret}\n` })
      const count = expected.enabled_events.length
      expect(stderr).toMatch(new RegExp(`^created ed_test_\\d+: a destination for ${count} types`))
      expect(stderr).toContain('Put this line into .env; then restart the server.\n')
      expect(stderr).not.toContain(secret)
      const { name, ...created } = double.created[0] ?? {}
      expect(name).toMatch(/^stripe-webhook-receiver/)
      expect(created).toEqual({
        ...expected,
        type: 'webhook_endpoint',
        webhook_endpoint: { url },
        include: ['webhook_endpoint.signing_secret'],
        ...(expected.event_payload === 'snapshot' && { snapshot_api_version: Stripe.API_VERSION }),
      })
      expect(api.problems).toEqual([])
    },
  )

  it('takes the types of HANDLERS alone, says which the SDK does not know, and leaves the ping out', async () => {
    const scratch = await makeScratch()
    const HANDLERS = join(scratch.path, 'handlers.js')
    const types = ['invoice.paid', 'invoice.piad', 'v1.refund.created', 'v2.core.event_destination.ping']
    await writeFile(HANDLERS, `export const handlers = { ${types.map((type) => `'${type}': () => {}`)} }`)
    const [snapshot, thin] = [
      await run(['create', '--url', HERE], { HANDLERS }),
      await run(['create', '--url', HERE, '--thin'], { HANDLERS }),
    ]
    await scratch.remove()
    expect(snapshot.stderr).toContain('note: the SDK does not know invoice.piad: misspelt?\n')
    expect(thin.stderr).not.toContain('note:')
    expect(double.created.map(({ enabled_events }) => enabled_events)).toEqual([
      ['invoice.paid', 'invoice.piad'],
      ['v1.refund.created'],
    ])
  })

  it('leaves events of accounts of API v2 to a destination of the own account, and says so', async () => {
    const scratch = await makeScratch()
    const HANDLERS = join(scratch.path, 'handlers.js')
    const types = ['v1.payout.paid', 'v2.core.account.closed', 'v2.core.account[identity].updated']
    await writeFile(HANDLERS, `export const handlers = { ${types.map((type) => `'${type}': () => {}`)} }`)
    const connect = await run(['create', '--url', `${HERE}/connect`, '--connect', '--thin'], { HANDLERS })
    const own = await run(['create', '--url', HERE, '--thin'], { HANDLERS })
    await scratch.remove()
    expect(connect.stderr).toContain(
      "note: left out v2.core.account.closed, v2.core.account[identity].updated: Stripe sends them as your own account's, to a destination without --connect\n",
    )
    expect(own.stderr).not.toContain('note:')
    expect(double.created.map(({ enabled_events }) => enabled_events)).toEqual([
      ['v1.payout.paid', 'v1.account.application.authorized', 'v1.account.application.deauthorized'],
      types,
    ])
  })

  it.each([
    ['STRIPE_WEBHOOK_SECRET', SECRET, [HERE]],
    ['STRIPE_CONNECT_WEBHOOK_SECRET', CONNECT_SECRET, [`${HERE}/connect`, '--connect']],
  ])(
    'prints a line for .env, with the new secret before a %s that is set',
    async (variable, existing, [url = '', ...args]) => {
      const env = { STRIPE_API_KEY: api.key, STRIPE_API_BASE: api.url, [variable]: existing }
      const { code, stdout, stderr } = await runCli(['destination', 'create', '--url', url, ...args], { env })
      expect(stderr).not.toContain(existing)
      expect({ code, stdout }).toEqual({ code: 0, stdout: `${variable}=${double.secrets[0]},${existing}\n` })
      expect(stderr).toContain(`${variable} is set already`)
      // As with `>> .env` behind the line that is there.
      const { webhookSecrets, connectWebhookSecrets } = parseConfig({ STRIPE_WEBHOOK_SECRET: SECRET, ...parse(stdout) })
      expect([...webhookSecrets, ...connectWebhookSecrets]).toEqual(
        expect.arrayContaining([double.secrets[0], existing]),
      )
    },
  )

  it('says what to do when Stripe does not tell the secret', async () => {
    api.route('POST', '/v2/core/event_destinations', () => ({ body: { ...v2Destination(), webhook_endpoint: {} } }))
    const { code, stdout, stderr } = await create('--url', HERE)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^created .*\nerror: Stripe did not tell its signing secret: copy it from Workbench/)
  })
})

describe('create refuses', () => {
  async function expectRefused(args: readonly string[], message: string, env: Readonly<Record<string, string>> = {}) {
    const { code, stdout, stderr } = await run(['create', ...args], env)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(message)
    expect(double.created).toEqual([])
  }

  it.each([
    ['http://example.com/webhook', [], 'error: expected an https URL'],
    ['ftp://example.com/webhook', [], 'Expected an http or https URL'],
    [`${HERE}/connect`, [], 'add --connect'],
    [`${HERE}/connect/`, [], 'add --connect'],
    [HERE, ['--connect'], 'with --connect it must end in /webhook/connect'],
  ])('%s %j', async (url, args, message) => {
    await expectRefused(['--url', url, ...args], message)
  })

  it('no URL', async () => {
    await expectRefused([], "required option '--url <url>' not specified")
  })

  it('what is there already, and says what to do', async () => {
    double.v2 = [v2Destination({ id: 'ed_1', url: `${HERE}/` })]
    await expectRefused(['--url', 'https://EXAMPLE.com/webhook'], 'error: ed_1 sends snapshot events to')
    await expectRefused(
      ['--url', HERE],
      "for the handlers' types and the SDK's API version: npm run destination -- update ed_1",
    )
    double.v2 = []
    double.v1 = [v1Endpoint({ id: 'we_1', status: 'disabled' })]
    await expectRefused(
      ['--url', HERE],
      'we_1 sends snapshot events to https://example.com/webhook already, and is disabled',
    )
  })

  it.each([
    ['no key', { STRIPE_API_KEY: '' }, 'error: STRIPE_API_KEY is not set'],
    ['a key of the other mode', { STRIPE_MODE: 'live' }, 'is a test mode key, and STRIPE_MODE is live'],
    [
      'a key that Stripe does not take',
      { STRIPE_API_KEY: 'sk_test_wrong1234' },
      'Stripe does not take STRIPE_API_KEY (401)',
    ],
    ['handlers that are not there', { HANDLERS: './none.ts' }, 'error: HANDLERS must name a file'],
  ])('%s', async (_name, env, message) => {
    await expectRefused(['--url', HERE], message, env)
  })

  it('an account that cannot be looked at first', async () => {
    api.route('GET', '/v2/core/event_destinations', () => v2Error(404, 'not_found'))
    await expectRefused(['--url', HERE], 'is not there for this account (404)')
  })
})

describe('create tells what Stripe refuses', () => {
  it.each([
    [
      permissionMissing('rk_test_1234567890'),
      'may not create the destination (403). To mend it: give the restricted key',
    ],
    [
      v2Error(400, 'invalid_fields', 'enabled_events[9] is odd.'),
      'answered 400, could not create the destination: enabled_events[9] is odd.',
    ],
  ])('%j', async (answer, message) => {
    api.route('POST', '/v2/core/event_destinations', () => answer)
    const { code, stdout, stderr } = await create('--url', HERE)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('567890')
  })
})

it.each([
  ['the other shape is there', [v2Destination({ event_payload: 'thin' })], HERE],
  ['it has another query, for a change of version', [v2Destination()], `${HERE}?version=${Stripe.API_VERSION}`],
  ['the host is localhost, in test mode', [], 'http://localhost:4242/webhook'],
])('creates one when %s', async (_name, existing, url) => {
  double.v2 = existing
  expect(await create('--url', url)).toMatchObject({ code: 0 })
  expect(double.created).toMatchObject([{ webhook_endpoint: { url } }])
})

it('says that a proxy must lead another path to the route', async () => {
  const { code, stderr } = await create('--url', 'https://example.com/hooks')
  expect(code).toBe(0)
  expect(stderr).toContain('note: the server takes these events at /webhook: a proxy must lead /hooks there\n')
})

describe('on a live account', () => {
  beforeEach(() => start('rk_live_double1234'))

  it('create is refused without a terminal to ask on', async () => {
    const { code, stdout, stderr } = await create('--url', HERE)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('there is no terminal to ask on: add --yes')
    expect(double.created).toEqual([])
  })

  it('create goes on with --yes', async () => {
    expect(await create('--url', HERE, '--yes')).toMatchObject({
      code: 0,
      stdout: `STRIPE_WEBHOOK_SECRET=${double.secrets[0]}\n`,
    })
  })

  it('http is refused for localhost too', async () => {
    const { code, stderr } = await create('--url', 'http://localhost:4242/webhook', '--yes')
    expect(code).toBe(1)
    expect(stderr).toContain('expected an https URL: Stripe sends live events to no other')
  })
})

describe('list', () => {
  it('prints a table of what both APIs list', async () => {
    double.v1 = [v1Endpoint({ id: 'we_1', api_version: null, enabled_events: ['*'], status: 'disabled' })]
    double.v2 = [
      v2Destination({ id: 'ed_1', event_payload: 'thin', events_from: ['@accounts'] }),
      v2Destination({ id: 'ed_2', type: 'amazon_eventbridge' }),
    ]
    const { code, stdout, stderr } = await run(['list'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.replace(/ {2,}/g, ' | ')).toBe(`ID | URL | SHAPE | FROM | STATUS | API VERSION | TYPES
ed_1 | ${HERE} | thin | connect | enabled | – | ${thinHandled.length}
ed_2 | no webhook | snapshot | account | enabled | ${Stripe.API_VERSION} | ${snapshotHandled.length}
we_1 | ${HERE} | snapshot | not told by v1 | disabled | account default | all
`)
  })

  it('fits a terminal of 80 columns', async () => {
    const id = `ed_test_${'6'.repeat(39)}Hq0V7`
    double.v1 = [v1Endpoint({ id: 'we_1QabcdEfGhIjKlMnOpQrStUv', url: `${HERE}/connect`, status: 'disabled' })]
    double.v2 = [v2Destination({ id, url: 'https://hooks.staging.payments.example.com/webhook/connect' })]
    const env = { STRIPE_API_KEY: api.key, STRIPE_API_BASE: api.url }
    const { stdout } = await runCli(['destination', 'list'], { env, columns: 80 })
    const lines = stdout.trimEnd().split('\n')
    expect(lines.filter((line) => line.length > 80)).toEqual([])
    expect(lines[0]).toMatch(/^ID +URL +SHAPE +STATUS$/)
    expect(lines[1]).toMatch(/^ed_test_6…\S+Hq0V7 {2}https:\S+…\S+\/webhook\/connect +snapshot +enabled$/)
    expect(lines[2]).toContain(`${HERE}/connect`)
  })

  it('prints one JSON object a line', async () => {
    double.v1 = [v1Endpoint({ id: 'we_1' })]
    const { stdout } = await run(['list', '--json'])
    expect(JSON.parse(stdout)).toEqual({
      id: 'we_1',
      listedBy: 'v1',
      url: HERE,
      shape: 'snapshot',
      from: 'unknown',
      isEnabled: true,
      apiVersion: Stripe.API_VERSION,
      types: snapshotHandled,
    })
  })

  it('says that there are none, and that there is no key', async () => {
    expect(await run(['list'])).toEqual({ code: 0, stdout: '', stderr: 'There are no destinations.\n' })
    const { code, stdout, stderr } = await run(['list'], { STRIPE_API_KEY: '' })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^error: STRIPE_API_KEY is not set.*To mend it: set it in \.env/)
  })

  it('prints what it can read, and ends with 1 when a permission is missing', async () => {
    double.v1 = [v1Endpoint()]
    api.route('GET', '/v2/core/event_destinations', () => permissionMissing(api.key))
    const { code, stdout, stderr } = await run(['list'])
    expect(code).toBe(1)
    expect(stdout).toContain('\nwe_')
    expect(stderr).toMatch(/^error: STRIPE_API_KEY may not read/)
  })
})

it.each([[[]], [['create']], [['update']], [['list']]])('has help with examples: %j', async (args) => {
  const { code, stdout } = await run([...args, '--help'])
  expect(code).toBe(0)
  expect(stdout).toContain('Examples:\n  npm run destination -- ')
})
