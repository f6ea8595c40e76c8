import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
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
import { type CliResult, runCli } from '../../support/run-cli.ts'
import { makeScratch } from '../../support/scratch.ts'
import { CONNECT_SECRET, SECRET } from '../../support/sign.ts'
import { apiError, type StripeApiDouble, startStripeApiDouble } from '../../support/stripe-api-double.ts'
import { parseLines } from '../events/inbox.ts'

let api: StripeApiDouble
let double: DestinationsDouble
beforeEach(async () => {
  api = await startStripeApiDouble()
  double = serveDestinations(api)
})
afterEach(() => api.close())

type Env = Readonly<Record<string, string>>

/** Runs it, and fails when it printed a key or a secret. */
async function runDoctor(args: readonly string[] = [], env: Env = {}, cwd?: string): Promise<CliResult> {
  const common = { STRIPE_API_KEY: api.key, STRIPE_API_BASE: api.url, STRIPE_WEBHOOK_SECRET: SECRET }
  const result = await runCli(['doctor', ...args], { env: { ...common, ...env }, ...(cwd && { cwd }) })
  for (const secret of [api.key, api.key.slice(-6), SECRET, CONNECT_SECRET]) {
    expect(result.stdout + result.stderr).not.toContain(secret)
  }
  return result
}

/** A module of HANDLERS with these handlers, as source, while it runs. */
async function withModule<T>(handlers: Env, use: (path: string) => Promise<T>): Promise<T> {
  const scratch = await makeScratch()
  const path = join(scratch.path, 'handlers.js')
  const lines = Object.entries(handlers).map(([type, handler]) => `'${type}': ${handler}`)
  await writeFile(path, `export const handlers = { ${lines.join(', ')} }`)
  return use(path).finally(scratch.remove)
}

const connected = { url: 'https://example.com/webhook/connect', events_from: ['@accounts'] }

it('ends with 0 and says so when all is well', async () => {
  double.v1 = [v1Endpoint({ id: 'we_1' })]
  double.v2 = [v2Destination({ id: 'we_1' }), v2Destination({ ...connected, id: 'ed_2' })]
  const result = await runDoctor(['--url', 'https://example.com/webhook'], {
    STRIPE_CONNECT_WEBHOOK_SECRET: CONNECT_SECRET,
  })
  expect(result).toEqual({
    code: 0,
    stderr: '',
    stdout: `ok       STRIPE_API_KEY is a test mode key: what follows is about test mode only
ok       this clock is within 30 s of Stripe's
ok       STRIPE_API_KEY may read events, thin events
ok       we_1 at https://example.com/webhook sends ${snapshotHandled.length} types in snapshot events as API version ${Stripe.API_VERSION}
ok       ed_2 at https://example.com/webhook/connect sends ${snapshotHandled.length} types in snapshot events as API version ${Stripe.API_VERSION}

all is well
`,
  })
  expect(api.problems).toEqual([])
  expect(api.requests.every(({ method }) => method === 'GET')).toBe(true)
})

describe('a fault ends with 1, and has its line and its mend', () => {
  /** The lines of the one finding with this text. */
  const linesOf = ({ stdout }: CliResult, text: string): string[] => {
    const lines = stdout.split('\n')
    const index = lines.findIndex((line) => line.includes(text))
    return lines.slice(index, index + 2)
  }

  function expectFault(result: CliResult, message: string, mend: string): void {
    expect(result.code).toBe(1)
    const [line, next] = linesOf(result, message)
    expect(line).toMatch(/^fault {4}/)
    expect(next).toMatch(/^ {9}→ /)
    expect(next).toContain(mend)
    expect(result.stdout).toMatch(/\n\n\d faults?, \d warnings?\n$/)
  }

  it('no key', async () => {
    const result = await runDoctor([], { STRIPE_API_KEY: '' })
    expectFault(result, 'STRIPE_API_KEY is not set', 'set it in .env to a restricted key')
    expect(api.requests).toEqual([])
  })

  it('a key of the other mode', async () => {
    double.v2 = [v2Destination()]
    const result = await runDoctor([], { STRIPE_MODE: 'live' })
    expectFault(result, 'is a test mode key, and STRIPE_MODE is live', 'set STRIPE_API_KEY to a live mode key')
    expect(result.stdout).toContain('ok       ed_test_')
  })

  it('a key that Stripe does not take', async () => {
    const result = await runDoctor([], { STRIPE_API_KEY: 'sk_test_wrong1234' })
    expectFault(result, 'Stripe does not take STRIPE_API_KEY (401)', 'set STRIPE_API_KEY in .env')
    expect(result.stdout).toContain('1 fault, 0 warnings')
  })

  it('a key that lacks a permission, and the other list is looked at all the same', async () => {
    double.v1 = [v1Endpoint({ api_version: '2020-08-27' })]
    api.route('GET', '/v2/core/event_destinations', () => permissionMissing(api.key))
    const result = await runDoctor()
    expectFault(
      result,
      'may not read /v2/core/event_destinations (403)',
      '"Webhook Endpoints and Event Destinations: Read"',
    )
    expectFault(result, 'sends API version 2020-08-27', 'npm run destination -- update we_')
  })

  it('no secret', async () => {
    double.v2 = [v2Destination()]
    expectFault(
      await runDoctor([], { STRIPE_WEBHOOK_SECRET: '' }),
      'STRIPE_WEBHOOK_SECRET is not set',
      'set it in .env',
    )
  })

  it('no destination', async () => {
    const result = await runDoctor(['--url', 'https://example.com/webhook'])
    expectFault(
      result,
      'no destination at https://example.com/webhook',
      'npm run destination -- create --url https://ex',
    )
  })

  it('several destinations', async () => {
    double.v1 = [v1Endpoint({ enabled_events: ['payout.failed'] })]
    double.v2 = [v2Destination()]
    expectFault(await runDoctor(), '2 destinations send snapshot events to https://example.com/webhook', 'keep one')
  })

  it('a disabled destination', async () => {
    double.v2 = [v2Destination({ status: 'disabled' })]
    expectFault(await runDoctor(), 'is disabled', 'enable it in Workbench; then fetch what was made meanwhile')
    expect((await runDoctor()).stdout).toContain('npm run reconcile -- --all')
  })

  it('types handled and not sent', async () => {
    double.v2 = [v2Destination({ enabled_events: ['invoice.paid'] })]
    const result = await withModule({ 'invoice.paid': '() => {}', 'payout.paid': '() => {}' }, (HANDLERS) =>
      runDoctor([], { HANDLERS }),
    )
    const message = '1 type handled and not sent to https://example.com/webhook: payout.paid'
    expectFault(result, message, 'add them: npm run destination -- update ed_')
  })

  it('a key that may not read events, with what follows from it', async () => {
    double.v2 = [v2Destination()]
    api.route('GET', '/v1/events', () => permissionMissing(api.key, 'rak_event_read'))
    expectFault(
      await runDoctor(),
      'may not read /v1/events (403): what Stripe could not deliver is never caught up with (reconcile)',
      'give the restricted key "Events: Read", for connected accounts too (rak_event_read), in the Dashboard',
    )
  })

  it('a key that may not read what the thin events that are sent are about', async () => {
    double.v2 = [v2Destination({ event_payload: 'thin' })]
    api.route('GET', '/v1/disputes', () => permissionMissing(api.key, 'rak_dispute_read'))
    const result = await runDoctor()
    expectFault(
      result,
      'may not read /v1/disputes (403): handlers cannot fetch what v1.charge.dispute.created, v1.charge.dispute.closed are about',
      'give the restricted key read access to disputes (rak_dispute_read)',
    )
    expect(result.stdout).toMatch(
      /^ok {7}STRIPE_API_KEY may read events, thin events, payment intents, payment methods, charges, balance, payouts, invoices, issuing authorizations, subscriptions, accounts$/m,
    )
    expect(api.requests.every(({ method }) => method === 'GET')).toBe(true)
    expect(api.problems).toEqual([])
  })

  it('types sent and not handled', async () => {
    double.v2 = [v2Destination({ enabled_events: ['*'] })]
    expectFault(await runDoctor(), 'sends what has no handler', 'choose the types in Workbench, or add a fallback')
  })

  it('another API version', async () => {
    double.v1 = [v1Endpoint({ api_version: null })]
    expectFault(await runDoctor(), "sends the account's default API version", 'npm run destination -- update we_')
  })

  it('a Connect destination without its secret', async () => {
    double.v2 = [v2Destination(connected)]
    expectFault(await runDoctor(), 'is a Connect destination, and', 'set STRIPE_CONNECT_WEBHOOK_SECRET')
  })

  it('snapshot and thin events of the same changes, when each is to be handled', async () => {
    double.v2 = [v2Destination(), v2Destination({ event_payload: 'thin' })]
    expectFault(await runDoctor([], { TWINS: 'both' }), 'TWINS=both handles each change twice', 'set TWINS=one')
    expect(await runDoctor()).toMatchObject({ code: 0, stdout: expect.stringContaining('TWINS=one handles each') })
  })

  it('a clock that is off', async () => {
    const date = new Date(Date.now() + 45_000).toUTCString()
    api.route('GET', '/v1/webhook_endpoints', () => ({ headers: { date }, body: { object: 'list', data: [] } }))
    api.route('GET', '/v2/core/event_destinations', () => ({ headers: { date }, body: { data: [v2Destination()] } }))
    expectFault(await runDoctor(), "s behind Stripe's", 'NTP')
  })

  it('a Stripe that cannot be reached', async () => {
    const result = await runDoctor([], { STRIPE_API_BASE: 'http://127.0.0.1:1' })
    expectFault(result, 'Stripe cannot be reached', 'check the network')
    expect(result.stdout).not.toContain('no destination')
  })

  it('an answer that Stripe would not give', async () => {
    api.route('GET', '/v1/webhook_endpoints', () => apiError(400, { message: `Odd: ${api.key}` }))
    expectFault(await runDoctor(), 'Stripe answered 400, could not read /v1/webhook_endpoints: Odd: sk_…', 'status')
  })
})

it('tells once what keeps Stripe from being reached', async () => {
  double.v2 = [v2Destination({ event_payload: 'thin' })]
  for (const path of ['/v1/events', '/v2/core/events', '/v1/payouts']) api.route('GET', path, () => 'reset')
  const { code, stdout } = await runDoctor()
  expect(code).toBe(0)
  expect(stdout.match(/^warning {2}Stripe cannot be reached$/gm)).toHaveLength(1)
})

it.each([
  ['v2', '/v2/core/event_destinations'],
  ['v1', '/v1/webhook_endpoints'],
])('claims that nothing is missing only of lists that were read: %s was not', async (_api, path) => {
  api.route('GET', path, () => permissionMissing(api.key))
  const { code, stdout } = await runDoctor(['--url', 'https://example.com/webhook'], {
    STRIPE_CONNECT_WEBHOOK_SECRET: CONNECT_SECRET,
  })
  expect(code).toBe(1)
  // v2 lists what v1 does.
  expect(stdout.includes('there is no destination')).toBe(path.startsWith('/v1'))
})

it('says nothing of types that a list which was not read may send', async () => {
  double.v1 = [v1Endpoint({ enabled_events: ['invoice.paid'] })]
  api.route('GET', '/v2/core/event_destinations', () => permissionMissing(api.key))
  const { stdout } = await withModule({ 'invoice.paid': '() => {}', 'payout.paid': '() => {}' }, (HANDLERS) =>
    runDoctor([], { HANDLERS }),
  )
  expect(stdout).not.toContain('not sent')
})

it('has no fault for a destination that is sent only some of the types of the built-in handlers', async () => {
  double.v2 = [v2Destination({ enabled_events: snapshotHandled.slice(2) })]
  const { code, stdout } = await runDoctor()
  expect(code).toBe(0)
  const some = snapshotHandled.slice(0, 2).join(', ')
  expect(stdout).toContain(
    `ok       2 types not sent to https://example.com/webhook, and handled by built-in handlers, which only log: ${some}\n`,
  )
  expect(stdout).toContain('\nall is well\n')
})

it('takes what an answer other than a permission error tells for no fault of the key', async () => {
  double.v2 = [v2Destination({ event_payload: 'thin' })]
  api.route('GET', '/v1/accounts', () => apiError(400, { message: 'You have not signed up for Connect.' }))
  api.route('GET', '/v1/payouts', () => apiError(500, { message: 'Odd.' }))
  const { code, stdout } = await runDoctor()
  expect(code).toBe(0)
  expect(stdout).toMatch(/may read events, (?!.*accounts)/)
  expect(stdout).toMatch(/^warning {2}Stripe answered 500, could not read \/v1\/payouts/m)
})

it('ends with 0 when an account has no API v2, which is a warning', async () => {
  double.v1 = [v1Endpoint()]
  api.route('GET', '/v2/core/event_destinations', () => v2Error(404, 'not_found'))
  const { code, stdout } = await runDoctor()
  expect(code).toBe(0)
  expect(stdout).toMatch(/^warning {2}\/v2\/core\/event_destinations is not there for this account \(404\)/m)
  expect(stdout).toContain('\n0 faults, 1 warning\n')
})

it('prints one JSON object for each finding', async () => {
  double.v2 = [v2Destination({ id: 'ed_1', enabled_events: [...snapshotHandled, 'invoice.paid'] })]
  const { code, stdout } = await runDoctor(['--json'])
  expect(code).toBe(1)
  const findings = stdout.trimEnd().split('\n')
  expect(findings.map((line) => JSON.parse(line))).toMatchObject([
    { severity: 'ok', check: 'api_key' },
    { severity: 'ok', check: 'clock' },
    { severity: 'ok', check: 'api_permission' },
    {
      severity: 'fault',
      check: 'types_handled',
      destinations: ['ed_1'],
      types: ['invoice.paid'],
      mend: expect.any(String),
    },
  ])
})

describe('a module of HANDLERS', () => {
  it('is all that counts, and what it keeps open does not hold up the command', async () => {
    const scratch = await makeScratch()
    const module = join(scratch.path, 'handlers.js')
    await writeFile(
      module,
      `setInterval(() => {}, 1_000)
       export const handlers = { 'invoice.paid': () => {} }
       export const fallback = () => {}`,
    )
    double.v2 = [v2Destination({ enabled_events: ['payout.paid'] })]
    const { code, stdout } = await runDoctor([], { HANDLERS: module })
    await scratch.remove()
    expect(code).toBe(1)
    expect(stdout).toContain('1 type handled and not sent to https://example.com/webhook: invoice.paid\n')
    expect(stdout).toMatch(/^ok .* sends the fallback 1 type: payout.paid$/m)
    expect(stdout).toMatch(/\n\n1 fault, 0 warnings\n$/)
  })

  it('that spreads from the built-in handlers wants their types too, and its own where only a built-in twin is sent', async () => {
    const scratch = await makeScratch()
    const module = join(scratch.path, 'handlers.js')
    const builtIn = new URL('../../../src/handlers/built-in/map.ts', import.meta.url)
    await writeFile(
      module,
      `import { handlerMap } from ${JSON.stringify(builtIn.href)}
       export const handlers = { ...handlerMap, 'payout.failed': () => {} }`,
    )
    double.v2 = [v2Destination({ event_payload: 'thin' })]
    const { code, stdout } = await runDoctor(['--json'], { HANDLERS: module })
    await scratch.remove()
    expect(code).toBe(1)
    const hasTwin = (type: string) => thinHandled.includes(`v1.${type}`)
    const types = snapshotHandled.filter((type) => type === 'payout.failed' || !hasTwin(type))
    const troubles = parseLines(stdout).filter(({ severity }) => severity !== 'ok')
    expect(troubles).toMatchObject([{ severity: 'fault', check: 'types_sent', types }])
  })

  it('that is not there is told before anything is asked', async () => {
    const result = await runDoctor([], { HANDLERS: './missing.ts' })
    expect(result).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^error: HANDLERS must name/) })
    expect(api.requests).toEqual([])
  })
})

it('knows what ANSWERS answers: sent or not, it is no fault, and the module has to be right', async () => {
  const ANSWERS = fileURLToPath(new URL('../../documented/my-answers.ts', import.meta.url))
  double.v2 = [v2Destination()]
  expect(await runDoctor([], { ANSWERS })).toMatchObject({ code: 0 })
  const request = 'issuing_authorization.request'
  double.v2 = [v2Destination({ enabled_events: [...snapshotHandled, request] })]
  expect(await runDoctor([], { ANSWERS })).toMatchObject({ code: 0 })
  expect(await runDoctor()).toMatchObject({
    code: 1,
    stdout: expect.stringContaining(`no handler, 1 type: ${request}`),
  })
  const faulty = await runDoctor([], { ANSWERS: './missing.ts' })
  expect(faulty).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^error: ANSWERS must name/) })
})

it('never lets a text of Stripe steer the terminal', async () => {
  double.v2 = [v2Destination({ enabled_events: [...snapshotHandled, 'odd\u001b[2J\nfault'] })]
  const { stdout } = await runDoctor()
  expect(stdout).not.toContain('\u001b')
  expect(stdout).toContain('no handler, 1 type: odd [2J fault\n')
})

describe('options', () => {
  it.each([
    [['--url', 'example.com'], 'Expected an http or https URL'],
    [['--timeout', '0'], 'a whole number from 1 to 3600'],
    [['here'], 'too many arguments'],
  ])('refuses %j', async (args, expected) => {
    expect(await runDoctor(args)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(expected) })
  })

  it('has help with examples', async () => {
    const { code, stdout } = await runDoctor(['--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('Examples:\n  npm run doctor\n')
  })

  it('refuses what is set and malformed, without its value', async () => {
    const { code, stderr } = await runDoctor([], { STRIPE_API_KEY: 'pk_test_1234567890' })
    expect(code).toBe(1)
    expect(stderr).toContain('STRIPE_API_KEY: expected a secret or restricted API key')
    expect(stderr).not.toContain('1234567890')
  })
})
