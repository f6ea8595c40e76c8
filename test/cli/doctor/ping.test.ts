import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { deliver } from '../../support/deliver.ts'
import {
  type DestinationsDouble,
  serveDestinations,
  v1Endpoint,
  v2Destination,
  v2Error,
} from '../../support/destinations-double.ts'
import { runCli } from '../../support/run-cli.ts'
import { makeScratch } from '../../support/scratch.ts'
import { CONNECT_SECRET, SECRET, thinJson } from '../../support/sign.ts'
import { type ServerProcess, spawnServer } from '../../support/spawn-server.ts'
import { type StripeApiDouble, startStripeApiDouble } from '../../support/stripe-api-double.ts'

let api: StripeApiDouble
let double: DestinationsDouble
let scratch: Awaited<ReturnType<typeof makeScratch>>
let server: ServerProcess
beforeAll(async () => {
  scratch = await makeScratch()
  server = await spawnServer({ folder: scratch.path })
})
afterAll(async () => {
  server.kill('SIGKILL')
  await server.exited
  await scratch.remove()
})
beforeEach(async () => {
  api = await startStripeApiDouble()
  double = serveDestinations(api)
})
afterEach(() => api.close())

function runPing(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const common = {
    STRIPE_API_KEY: api.key,
    STRIPE_API_BASE: api.url,
    STRIPE_WEBHOOK_SECRET: SECRET,
    STRIPE_CONNECT_WEBHOOK_SECRET: CONNECT_SECRET,
    DATABASE_URL: `file:${join(scratch.path, 'data', 'inbox.db')}`,
  }
  return runCli(['doctor', '--ping', ...args], { env: { ...common, ...env } })
}

const newId = () => `evt_test_${randomUUID().replaceAll('-', '')}`

/** As Stripe words the ping of a destination. */
function pingJson(id: string, destination: string): string {
  const url = `/v2/core/event_destinations/${destination}`
  const related_object = { id: destination, type: 'v2.core.event_destination', url }
  return thinJson({ id, type: 'v2.core.event_destination.ping', related_object })
}

/** Lets Stripe deliver its pings to the server, signed as it should be or not. */
function servePings({ secret, isOtherId = false }: { secret?: string; isOtherId?: boolean } = {}): void {
  const { url } = server
  double.v2 = [
    v2Destination({ id: 'ed_1', url: `${url}/webhook` }),
    v2Destination({ id: 'ed_2', url: `${url}/webhook/connect`, events_from: ['@accounts'] }),
  ]
  double.onPing = async (destination) => {
    const id = newId()
    const path = destination === 'ed_1' ? '/webhook' : '/webhook/connect'
    const body = pingJson(isOtherId ? newId() : id, destination)
    await deliver(`${url}${path}`, body, { secret: secret ?? secrets[path] })
    return id
  }
}
const secrets = { '/webhook': SECRET, '/webhook/connect': CONNECT_SECRET }

describe('--ping', () => {
  it.each([
    ['the id that Stripe named', false],
    ['another id, of a ping for the same destination', true],
  ])('finds the pings of both routes in the inbox of a running server, by %s', async (_name, isOtherId) => {
    servePings({ isOtherId })
    const { code, stdout, stderr } = await runPing()
    expect(stdout).toMatch(
      /^ok {7}the ping of ed_1 at http:\/\/127\.0\.0\.1:\d+\/webhook came within \d+ s \(evt_test_\w+\)$/m,
    )
    expect(stdout).toMatch(/^ok {7}the ping of ed_2 at \S+\/webhook\/connect came within/m)
    expect(stdout).toContain('\nall is well\n')
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'pinged 2; waiting up to 30 s\n' })
  })

  it('has a fault with its mend for a ping that is refused, and does not take an earlier one for it', async () => {
    servePings({ secret: 'whsec_another_secret' })
    expect(await deliver(`${server.url}/webhook`, pingJson(newId(), 'ed_1'))).toBe(200)
    const { code, stdout } = await runPing(['--timeout', '1'])
    expect(code).toBe(1)
    expect(stdout).toMatch(
      /^fault {4}the ping of ed_1 at \S+ did not come within 1 s \(evt_test_\w+\)\n {9}→ look at its delivery/m,
    )
    expect(stdout).toContain('2 faults, 0 warnings')
  })

  it('says what cannot be pinged, and looks at no other', async () => {
    servePings()
    double.v2.push(v2Destination({ id: 'ed_off', url: `${server.url}/webhook`, status: 'disabled' }))
    double.v1 = [v1Endpoint({ id: 'we_1', url: 'https://old.example/webhook' })]
    const { code, stdout } = await runPing()
    expect(code).toBe(0)
    expect(stdout).toMatch(/^warning {2}we_1 at https:\/\/old\.example\/webhook cannot be pinged/m)
    expect(api.requests.filter(({ method }) => method === 'POST').map(({ path }) => path.split('/').at(-2))).toEqual([
      'ed_1',
      'ed_2',
    ])
  })

  it('pings the URL that was asked for alone', async () => {
    servePings()
    double.v2.push(v2Destination({ id: 'ed_other' }))
    const { stdout } = await runPing(['--url', `${server.url}/webhook`])
    expect(stdout.match(/the ping of \w+/g)?.toSorted()).toEqual(['the ping of ed_1', 'the ping of ed_2'])
  })

  it('has a fault when Stripe refuses to ping', async () => {
    servePings()
    api.route('POST', '/v2/core/event_destinations/ed_1/ping', () => v2Error(403, 'forbidden'))
    const { code, stdout } = await runPing()
    expect(code).toBe(1)
    expect(stdout).toMatch(/^fault {4}STRIPE_API_KEY may not ping ed_1 \(403\)\n {9}→ .*Event Destinations: Write/m)
    expect(stdout).toContain('the ping of ed_2')
  })

  it('pings nothing when the inbox is not there', async () => {
    double.v2 = [v2Destination()]
    const { code, stdout } = await runPing([], { DATABASE_URL: `file:${join(scratch.path, 'none.db')}` })
    expect(code).toBe(1)
    expect(stdout).toMatch(/^fault {4}not pinged\. There is no inbox at \S+/m)
    expect(api.requests.filter(({ method }) => method === 'POST')).toEqual([])
  })
})
