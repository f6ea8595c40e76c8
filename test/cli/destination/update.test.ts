import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  connectionTypes,
  type DestinationsDouble,
  permissionMissing,
  serveDestinations,
  snapshotHandled,
  thinHandled,
  v1Endpoint,
  v2Destination,
} from '../../support/destinations-double.ts'
import { runCli } from '../../support/run-cli.ts'
import { makeScratch } from '../../support/scratch.ts'
import { SECRET } from '../../support/sign.ts'
import { type StripeApiDouble, startStripeApiDouble } from '../../support/stripe-api-double.ts'

const HERE = 'https://example.com/webhook'
const OLD_VERSION = '2020-08-27'

let api: StripeApiDouble
let double: DestinationsDouble
const start = async (key: string) => {
  await api?.close()
  api = await startStripeApiDouble({ key })
  double = serveDestinations(api)
}
beforeEach(() => start('sk_test_double1234'))
afterEach(async () => {
  expect(api.problems).toEqual([])
  await api.close()
})

interface Run {
  readonly env?: Readonly<Record<string, string>>
  readonly typed?: string
}

async function update(id: string, args: readonly string[] = [], { env, typed }: Run = {}) {
  const common = { STRIPE_API_KEY: api.key, STRIPE_API_BASE: api.url }
  return runCli(['destination', 'update', id, ...args], {
    env: { ...common, ...env },
    ...(typed !== undefined && { typed }),
  })
}

describe('types', () => {
  it('that are handled and not sent are added, without a question on a test account', async () => {
    double.v2 = [v2Destination({ id: 'ed_1', enabled_events: snapshotHandled.slice(2) })]
    const { code, stdout, stderr } = await update('ed_1')
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toBe(
      `to add 2 types, needed and not sent: ${snapshotHandled.slice(0, 2).join(', ')}\ned_1 sends ${snapshotHandled.length} types now\n`,
    )
    const enabled_events = [...snapshotHandled.slice(2), ...snapshotHandled.slice(0, 2)]
    expect(double.changed).toEqual([{ id: 'ed_1', change: { enabled_events } }])
  })

  it('of an endpoint that only API v1 lists are changed there', async () => {
    double.v1 = [v1Endpoint({ id: 'we_1', enabled_events: snapshotHandled.slice(1) })]
    expect(await update('we_1')).toMatchObject({ code: 0 })
    const enabled_events = [...snapshotHandled.slice(1), snapshotHandled[0]]
    expect(double.changed).toEqual([{ id: 'we_1', change: { enabled_events } }])
  })

  it('that tell of connected accounts are added to a Connect destination, and never removed', async () => {
    const connect = { url: `${HERE}/connect`, events_from: ['@accounts'] }
    const others = snapshotHandled.filter((type) => !connectionTypes.includes(type))
    double.v2 = [v2Destination({ ...connect, id: 'ed_1', enabled_events: [...others, 'invoice.paid'] })]
    expect(await update('ed_1', ['--yes'])).toMatchObject({ code: 0 })
    const enabled_events = [...others, ...connectionTypes]
    expect(double.changed).toEqual([{ id: 'ed_1', change: { enabled_events } }])
  })

  it.each([
    ['are kept without a terminal to ask on', {}, [], false],
    ['are kept at a no', { typed: 'n\n' }, [], false],
    ['are removed at a yes', { typed: 'y\n' }, [], true],
    ['are removed with --yes', {}, ['--yes'], true],
  ])('that nothing takes %s', async (_name, run, args, isRemoved) => {
    double.v2 = [v2Destination({ id: 'ed_1', enabled_events: [...snapshotHandled, 'invoice.paid'] })]
    const { code, stderr } = await update('ed_1', args, run)
    expect(code).toBe(0)
    expect(stderr).toContain('to remove 1 type, which nothing here takes: invoice.paid\n')
    expect(stderr.includes('kept 1 type: --yes removes them')).toBe(!isRemoved)
    const changes = [{ id: 'ed_1', change: { enabled_events: snapshotHandled } }]
    expect(double.changed).toEqual(isRemoved ? changes : [])
  })

  it('are left alone with * and where a fallback takes the rest', async () => {
    const scratch = await makeScratch()
    const HANDLERS = join(scratch.path, 'handlers.js')
    await writeFile(HANDLERS, "export const handlers = { 'invoice.paid': () => {} }\nexport const fallback = () => {}")
    double.v2 = [
      v2Destination({ id: 'ed_1', enabled_events: ['*'] }),
      v2Destination({
        id: 'ed_2',
        url: 'https://two.example/webhook',
        enabled_events: ['invoice.paid', 'payout.paid'],
      }),
    ]
    for (const id of ['ed_1', 'ed_2']) {
      expect(await update(id, ['--yes'], { env: { HANDLERS } })).toMatchObject({
        code: 0,
        stderr: `${id} is up to date\n`,
      })
    }
    await scratch.remove()
    expect(double.changed).toEqual([])
  })

  it('whose handled twin is sent to the same place are not added', async () => {
    double.v2 = [
      v2Destination({ id: 'ed_1', enabled_events: snapshotHandled.slice(1) }),
      v2Destination({ event_payload: 'thin' }),
    ]
    expect(thinHandled).toContain(`v1.${snapshotHandled[0]}`)
    expect(await update('ed_1')).toMatchObject({ code: 0, stderr: 'ed_1 is up to date\n' })
  })

  it('are never all removed', async () => {
    const other = v2Destination({ id: 'ed_2' })
    double.v2 = [v2Destination({ id: 'ed_1', enabled_events: ['invoice.paid'] }), other]
    const { code, stderr } = await update('ed_1', ['--yes'])
    expect(code).toBe(1)
    expect(stderr).toContain('error: nothing that ed_1 sends is needed: delete it in Workbench\n')
    expect(double.changed).toEqual([])
  })
})

describe('another API version', () => {
  const old = () => v2Destination({ id: 'ed_old', snapshot_api_version: OLD_VERSION })

  it('makes another in its place, prints both secrets, and leaves the old one, whatever --yes says', async () => {
    double.v2 = [old()]
    const { code, stdout, stderr } = await update('ed_old', ['--yes'], { env: { STRIPE_WEBHOOK_SECRET: SECRET } })
    expect({ code, stdout }).toEqual({ code: 0, stdout: `STRIPE_WEBHOOK_SECRET=${double.secrets[0]},${SECRET}\n` })
    expect(double.created).toMatchObject([
      {
        enabled_events: snapshotHandled,
        events_from: ['@self'],
        snapshot_api_version: Stripe.API_VERSION,
        webhook_endpoint: { url: `${HERE}?version=${Stripe.API_VERSION}` },
      },
    ])
    expect(stderr).toContain(`to create another in the place of ed_old, since it sends API version ${OLD_VERSION}`)
    expect(stderr).toContain('STRIPE_WEBHOOK_SECRET is set already')
    expect(stderr).toContain(
      'ed_old stays enabled; both send each event meanwhile, which is handled once. Run this again',
    )
    expect(stderr).not.toContain(SECRET)
    expect(double.changed).toEqual([])
  })

  it('disables the old one when a person says that the server runs with both secrets', async () => {
    double.v2 = [old()]
    const { code, stderr } = await update('ed_old', [], { typed: 'y\n' })
    expect(code).toBe(0)
    expect(stderr).toContain('Is the server running with both secrets, and is ed_old to be disabled? [y/N] ')
    expect(stderr).toContain('disabled ed_old: delete it in Workbench, and take its secret out of .env\n')
    expect(double.changed).toEqual([{ id: 'ed_old', change: 'disabled' }])
  })

  it.each([
    ['v2', old],
    ['v1', undefined],
  ])('disables it in the next run, which finds the other one: listed by %s', async (_api, listed) => {
    const replacement = v2Destination({ id: 'ed_new', url: `${HERE}?version=${Stripe.API_VERSION}` })
    double.v2 = listed ? [listed(), replacement] : [replacement]
    if (!listed) double.v1 = [v1Endpoint({ id: 'ed_old', api_version: null })]
    const asked = await update('ed_old')
    expect(asked).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no terminal to ask on') })
    expect(double.changed).toEqual([])
    const { code, stdout, stderr } = await update('ed_old', ['--yes'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toContain('to disable ed_old, since it sends')
    expect(double.changed).toEqual([{ id: 'ed_old', change: 'disabled' }])
    expect(double.created).toEqual([])
  })

  it('never disables it while the other one sends less', async () => {
    double.v2 = [old(), v2Destination({ id: 'ed_new', enabled_events: snapshotHandled.slice(1) })]
    const { code, stderr } = await update('ed_old', ['--yes'])
    expect(code).toBe(1)
    expect(stderr).toContain(
      `error: ed_new does not send 1 type that ed_old does: ${snapshotHandled[0]}: npm run destination -- update ed_new\n`,
    )
    expect(double.changed).toEqual([])
  })

  it('keeps the origin, the route and every type of the old one', async () => {
    const events_from = ['@self', '@accounts']
    const traits = { snapshot_api_version: OLD_VERSION, events_from, enabled_events: ['*'] }
    double.v2 = [v2Destination({ id: 'ed_old', url: `${HERE}/connect`, ...traits })]
    const { stdout } = await update('ed_old')
    expect(stdout).toBe(`STRIPE_CONNECT_WEBHOOK_SECRET=${double.secrets[0]}\n`)
    expect(double.created).toMatchObject([{ events_from, enabled_events: ['*'] }])
  })
})

describe('--dry-run', () => {
  it('tells what would be done, and changes nothing', async () => {
    const enabled_events = [...snapshotHandled.slice(1), 'invoice.paid']
    double.v2 = [v2Destination({ id: 'ed_1', enabled_events, snapshot_api_version: OLD_VERSION })]
    const { code, stdout, stderr } = await update('ed_1', ['--dry-run', '--yes'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr.split('\n').map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'would add',
      'would remove',
      'would create',
      '',
    ])
    expect(api.requests.every(({ method }) => method === 'GET')).toBe(true)
  })
})

describe('--json', () => {
  it('prints one object of what was changed', async () => {
    double.v2 = [v2Destination({ id: 'ed_1', enabled_events: [...snapshotHandled.slice(1), 'invoice.paid'] })]
    const { stdout } = await update('ed_1', ['--json', '--yes'])
    const [added] = snapshotHandled
    const changed = { added: [added], removed: ['invoice.paid'], replacedBy: null, isDisabled: false }
    expect(JSON.parse(stdout)).toEqual({ id: 'ed_1', dryRun: false, ...changed })
  })

  it('has the line with the secrets, and does not ask whether to disable', async () => {
    double.v2 = [v2Destination({ id: 'ed_1', snapshot_api_version: OLD_VERSION })]
    const { stdout, stderr } = await update('ed_1', ['--json'], { typed: 'y\n' })
    expect(JSON.parse(stdout)).toMatchObject({ isDisabled: false, env: `STRIPE_WEBHOOK_SECRET=${double.secrets[0]}` })
    expect(stderr).not.toContain('[y/N]')
  })
})

describe('refuses', () => {
  it.each([
    ['one that is not there', 'ed_none', 'error: there is no webhook ed_none: see npm run destination -- list'],
    ['one that is no webhook', 'ed_bridge', 'error: there is no webhook ed_bridge'],
    ['a disabled one', 'ed_off', 'error: ed_off is disabled: enable it in Workbench first'],
  ])('%s', async (_name, id, message) => {
    double.v2 = [
      v2Destination({ id: 'ed_bridge', type: 'amazon_eventbridge' }),
      v2Destination({ id: 'ed_off', status: 'disabled' }),
    ]
    const { code, stdout, stderr } = await update(id, ['--yes'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(message)
  })

  it('what Stripe refuses, with the permission to grant', async () => {
    double.v2 = [v2Destination({ id: 'ed_1', enabled_events: snapshotHandled.slice(1) })]
    api.route('POST', '/v2/core/event_destinations/ed_1', () => permissionMissing(api.key))
    const { code, stderr } = await update('ed_1')
    expect(code).toBe(1)
    expect(stderr).toContain('error: STRIPE_API_KEY may not update ed_1 (403). To mend it: give the restricted key')
  })

  it('to change a live account without a terminal to ask on or --yes', async () => {
    await start('rk_live_double1234')
    double.v2 = [v2Destination({ id: 'ed_1', enabled_events: snapshotHandled.slice(1) })]
    const { code, stderr } = await update('ed_1')
    expect(code).toBe(1)
    expect(stderr).toContain('there is no terminal to ask on: "Do this on the LIVE account?" Add --yes if so\n')
    expect(await update('ed_1', [], { typed: 'n\n' })).toMatchObject({ code: 1 })
    expect(double.changed).toEqual([])
    expect(await update('ed_1', ['--yes'])).toMatchObject({ code: 0 })
    expect(double.changed).toHaveLength(1)
  })
})
