import { mkdtemp, mkdtempDisposable, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { snapshotTypes, thinTypes } from '../../../src/event/known-types.ts'
import { eventually } from '../../support/eventually.ts'
import { runCli } from '../../support/run-cli.ts'
import { SECRET } from '../../support/sign.ts'
import { spawnServer } from '../../support/spawn-server.ts'
import { findClosedPort, startVerifyingServer, type VerifyingServer } from '../verifying-server.ts'

const accountSecret = 'whsec_accountsecret1'
const connectSecret = 'whsec_connectsecret1'

let server: VerifyingServer
let folder: string

beforeAll(async () => {
  server = await startVerifyingServer({ '/webhook/connect': connectSecret }, accountSecret)
  folder = await mkdtemp(join(tmpdir(), 'trigger-test-'))
})

afterEach(() => {
  server.received.length = 0
})

afterAll(async () => {
  server.close()
  await rm(folder, { recursive: true })
})

function trigger(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const secrets = {
    STRIPE_WEBHOOK_SECRET: `${accountSecret}, whsec_theoldone`,
    STRIPE_CONNECT_WEBHOOK_SECRET: connectSecret,
  }
  return runCli(['trigger', ...args], { env: { PORT: server.port, ...secrets, ...env } })
}

const receivedEvents = () => server.received.map(({ body }) => JSON.parse(body.toString()))

describe('what it sends', () => {
  it('delivers a signed event with the headers of Stripe to the configured port', async () => {
    const { code, stdout, stderr } = await trigger(['payout.failed'])
    const [event] = receivedEvents()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(`200 payout.failed ${event.id}\n`)
    expect(event).toMatchObject({ object: 'event', type: 'payout.failed', livemode: false })
    expect(server.received[0]?.path).toBe('/webhook')
    expect(server.received[0]?.headers).toMatchObject({
      'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
      accept: '*/*; q=0.5, application/xml',
      'accept-encoding': 'gzip',
      'cache-control': 'no-cache',
      'content-type': 'application/json; charset=utf-8',
    })
  })

  it.each([[['payout.failed', '--thin']], [['v1.payout.failed']], [['v1.payout.failed', '--thin']]])(
    'sends a thin event for %j',
    async (args) => {
      expect((await trigger(args)).code).toBe(0)
      expect(receivedEvents()).toMatchObject([{ object: 'v2.core.event', type: 'v1.payout.failed' }])
    },
  )

  it('sets values by their paths, in snapshot and thin events: JSON, or else text', async () => {
    const set = (...settings: string[]) => settings.flatMap((setting) => ['--set', setting])
    const values = ['data.object.amount=99', 'data.object.metadata.order=1042=x', 'data.object.trace_id={"value":"T"}']
    await trigger(['payout.paid', ...set(...values, 'data.object.new.deep=true', 'data.object.__proto__=1')])
    await trigger(['account.updated', ...set('data.object.requirements.past_due.1=first', 'id=evt_set')])
    await trigger(['v1.payout.paid', ...set('related_object.id=po_set')])
    const [payout, account, thin] = receivedEvents()
    expect(payout.data.object).toMatchObject({ amount: 99, status: 'paid', metadata: { order: '1042=x' } })
    expect(payout.data.object).toMatchObject({ trace_id: { value: 'T' }, new: { deep: true } })
    expect(Object.hasOwn(payout.data.object, '__proto__')).toBe(true)
    expect(account).toMatchObject({ id: 'evt_set' })
    expect(account.data.object.requirements.past_due).toEqual([expect.any(String), 'first'])
    expect(thin.related_object.id).toBe('po_set')
  })

  it.each(['payout.paid', 'v1.payout.paid'])('sends both events of each change for %s with --twins', async (type) => {
    const options = ['--count', '3', '--connect', 'acct_1A2b3C', '--live', '--set', 'data.object.id=po_set']
    const { code, stdout } = await trigger([type, '--twins', ...options])
    const events = receivedEvents()
    expect({ code, lines: stdout.trim().split('\n').length }).toEqual({ code: 0, lines: 6 })
    expect(server.received.map(({ path }) => path)).toEqual(Array(6).fill('/webhook/connect'))
    const thins = events.filter(({ object }) => object === 'v2.core.event')
    const snapshots = events.filter(({ object }) => object === 'event')
    expect(thins.map((thin) => thin.snapshot_event).sort()).toEqual(snapshots.map(({ id }) => id).sort())
    for (const thin of thins) {
      expect(thin).toMatchObject({ type: 'v1.payout.paid', context: 'acct_1A2b3C', livemode: true })
      expect(thin.related_object).toEqual({ id: 'po_set', type: 'payout', url: '/v1/payouts/po_set' })
    }
    for (const { data } of snapshots) expect(data.object).toMatchObject({ id: 'po_set', livemode: true })
  })

  it('signs with the Connect secret and uses its route with --connect', async () => {
    const { code } = await trigger(['account.updated', '--connect', 'acct_1A2b3C'])
    expect(code).toBe(0)
    expect(server.received[0]?.path).toBe('/webhook/connect')
    expect(receivedEvents()).toMatchObject([{ account: 'acct_1A2b3C', data: { object: { id: 'acct_1A2b3C' } } }])
  })

  it('sends as many different events as --count says', async () => {
    const { code, stdout } = await trigger(['person.updated', '--count', '40'])
    expect(code).toBe(0)
    expect(stdout.trim().split('\n')).toHaveLength(40)
    expect(new Set(receivedEvents().map((event) => event.id)).size).toBe(40)
  })

  it('sends the same event twice with --duplicate', async () => {
    const { stdout } = await trigger(['payout.failed', '--duplicate'])
    const [first, second] = server.received
    expect(stdout.trim().split('\n')).toHaveLength(2)
    expect(second?.body).toEqual(first?.body)
  })

  it('sends a live mode event with --live', async () => {
    await trigger(['payout.failed', '--live'])
    expect(receivedEvents()).toMatchObject([{ livemode: true, data: { object: { livemode: true } } }])
  })

  it('stamps the signature as old, or as far in the future, as --age says', async () => {
    const nowSeconds = Date.now() / 1_000
    const old = await trigger(['payout.failed', '--age', '600'])
    const early = await trigger(['payout.failed', '--age', '-600'])
    const stamps = server.received.map(({ headers }) =>
      Number(/^t=(\d+),/.exec(String(headers['stripe-signature']))?.[1]),
    )
    expect(old).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^400 payout\.failed evt_\w+ signature_mismatch\n$/),
    })
    expect(early.code).toBe(0)
    expect(Math.abs((stamps[0] ?? 0) - (nowSeconds - 600))).toBeLessThan(30)
    expect(Math.abs((stamps[1] ?? 0) - (nowSeconds + 600))).toBeLessThan(30)
  })

  it('delivers to another address with --url', async () => {
    expect(
      (await trigger(['payout.failed', '--url', `http://127.0.0.1:${server.port}/else`], { PORT: '1' })).code,
    ).toBe(0)
    expect(server.received[0]?.path).toBe('/else')
  })

  it("sends a file's exact bytes with --payload, whatever they are", async () => {
    const bytes = Buffer.concat([
      Buffer.from('{ "id":"evt_file",\r\n"type":"a.b" , "x":"é\\u00e9'),
      Buffer.from([0xff, 0x22, 0x7d]),
    ])
    await writeFile(join(folder, 'event.json'), bytes)
    await writeFile(join(folder, 'text'), 'no JSON')
    expect(await trigger(['--payload', join(folder, 'event.json')])).toMatchObject({
      code: 0,
      stdout: '200 a.b evt_file\n',
    })
    expect((await trigger(['--payload', join(folder, 'text')])).stdout).toBe('200 (no type) (no id)\n')
    expect(server.received.map(({ body }) => body)).toEqual([bytes, Buffer.from('no JSON')])
  })
})

it('prints the answer to a request, and its time', async () => {
  await using scratch = await mkdtempDisposable(join(tmpdir(), 'trigger-test-'))
  const ANSWERS = fileURLToPath(new URL('../../documented/my-answers.ts', import.meta.url))
  const receiver = await spawnServer({ folder: scratch.path, env: { ANSWERS } })
  try {
    const env = { PORT: new URL(receiver.url).port, STRIPE_WEBHOOK_SECRET: SECRET }
    const { code, stdout } = await trigger(['issuing_authorization.request'], env)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^200 issuing_authorization\.request evt_\w+ \{"approved":true\} after \d+ ms\n$/)
  } finally {
    receiver.kill('SIGKILL')
    await receiver.exited
  }
})

describe('--list', () => {
  it('prints every type, one to a line that fits a terminal, and sends nothing', async () => {
    const { code, stdout, stderr } = await trigger(['--list'])
    const lines = stdout.trimEnd().split('\n')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(lines).toEqual([...snapshotTypes, ...thinTypes].sort())
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(80)
    expect(server.received).toEqual([])
  })

  it('prints those that a pattern fits, with their twins', async () => {
    expect((await trigger(['--list', 'person.*'])).stdout.trimEnd().split('\n')).toEqual(
      ['person.created', 'person.deleted', 'person.updated'].flatMap((type) => [type, `v1.${type}`]).sort(),
    )
    const brackets = await trigger(['--list', 'v2.core.account[identity].*'])
    expect(brackets.stdout).toBe('v2.core.account[identity].updated\n')
  })
})

it('reaches a handler of the real server', async () => {
  const running = await spawnServer({ folder })
  try {
    const { port } = new URL(running.url)
    const env = { PORT: port, STRIPE_WEBHOOK_SECRET: SECRET }
    const { code, stdout, stderr } = await runCli(['trigger', 'payout.failed'], { env })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const [, eventId] = /^200 payout\.failed (evt_\w+)\n$/.exec(stdout) ?? []
    const findHandled = () => running.lines().find(({ msg }) => msg === 'event handled')
    expect(await eventually('the event to be handled', findHandled)).toMatchObject({ eventId, type: 'payout.failed' })
  } finally {
    running.kill('SIGKILL')
    await running.exited
  }
})

describe('when it fails', () => {
  it('ends with 1 and shows the code of a refusal', async () => {
    const { code, stdout } = await trigger(['payout.failed', '--bad-signature'], { STRIPE_WEBHOOK_SECRET: '' })
    expect(code).toBe(1)
    expect(stdout).toMatch(/^400 payout\.failed evt_\w+ signature_mismatch\n$/)
  })

  it('says where nothing takes deliveries', async () => {
    const worker = await spawnServer({ folder, env: { ROLE: 'work' } })
    const env = { PORT: new URL(worker.url).port, STRIPE_WEBHOOK_SECRET: SECRET }
    const { code, stdout, stderr } = await trigger(['payout.failed', '--count', '3'], env)
    worker.kill('SIGKILL')
    await worker.exited
    expect({ code, lines: stdout.trim().split('\n').length }).toEqual({ code: 1, lines: 3 })
    expect(stdout).toMatch(/^404 payout\.failed evt_\w+ not_found$/m)
    expect(stderr).toBe(
      `error: nothing takes deliveries at ${worker.url}/webhook: a server with ROLE=work takes none, and --url needs the path.\n`,
    )
  })

  it('says that no server answers, where, and how to start one', async () => {
    const closedPort = await findClosedPort()
    const { code, stdout, stderr } = await trigger(['payout.failed', '--count', '500'], { PORT: closedPort })
    expect(code).toBe(1)
    expect(stdout).toMatch(/^failed payout\.failed evt_/)
    expect(stdout.trim().split('\n').length).toBeLessThan(50)
    expect(stderr).toContain(`error: no answer from http://127.0.0.1:${closedPort}/webhook (ECONNREFUSED).`)
    expect(stderr).toContain('`npm start`')
  })

  it.each([
    ['STRIPE_WEBHOOK_SECRET', ['payout.failed']],
    ['STRIPE_CONNECT_WEBHOOK_SECRET', ['payout.failed', '--connect', 'acct_1A2b3C']],
  ])('names %s when it is not set or not a secret, without a stack or its value', async (name, args) => {
    const unset = await trigger(args, { [name]: '' })
    const wrong = await trigger(args, { [name]: 'sk_test_misplaced' })
    expect(unset).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(`error: ${name} is not set`) })
    expect(wrong).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(`${name}: expected a signing secret`),
    })
    expect(unset.stderr + wrong.stderr).not.toMatch(/misplaced|\n\s+at /)
    expect(server.received).toEqual([])
  })

  it('reads the secret from .env, which does not override the environment', async () => {
    await writeFile(join(folder, '.env'), `STRIPE_WEBHOOK_SECRET=${accountSecret}\nPORT=1\n`)
    const { code } = await runCli(['trigger', 'payout.failed'], { env: { PORT: server.port }, cwd: folder })
    expect(code).toBe(0)
  })

  it.each([
    [['payout.faild'], 'no event type payout.faild. Did you mean payout.failed,'],
    [['zzz'], 'no event type zzz. --list prints'],
    [['constructor'], 'no event type constructor'],
    [['v1.v1.payout.failed'], 'Did you mean v1.payout.failed'],
    [[], 'expected an event type'],
    [['v1.delegated_checkout.finalize_checkout'], 'Of any other, --payload sends a file of yours.'],
    [['payout.failed', '--payload', import.meta.filename], 'not both'],
    [['--list', 'nothing.*'], 'no event type fits nothing.*'],
    [['apps.install.created', '--thin'], 'has no thin twin'],
    [['v1.price.activated', '--twins'], 'has no twin'],
    [['payout.failed', '--twins', '--thin'], 'leave --thin out'],
    [['payout.failed', '--set', 'amount'], 'a path into the event and a value'],
    [['payout.failed', '--set', 'data..amount=1'], 'a path into the event and a value'],
    [['payout.failed', '--set', 'data.object.amount.x=1'], 'data.object.amount is 185340, which is no object'],
    [['payout.failed', '--set', 'data.object.reversed_by.x=1'], 'data.object.reversed_by is null, which is no object'],
    [['account.updated', '--set', 'data.object.requirements.past_due.x=1'], 'is an array of 2'],
    [['--payload', import.meta.filename, '--set', 'id=evt_1'], '--payload goes with none of'],
    [['--payload', import.meta.filename, '--twins'], '--payload goes with none of'],
    [['payout.failed', '--count', '0'], 'a whole number from 1 to 100000'],
    [['payout.failed', '--count', '1e3'], 'a whole number from 1 to 100000'],
    [['payout.failed', '--age', 'old'], 'a whole number from'],
    [['payout.failed', '--connect', 'cus_1'], 'acct_1A2b3C4d5E6f'],
    [['payout.failed', '--url', 'ftp://x'], 'http or https URL'],
    [['--payload', '/does/not/exist'], 'ENOENT'],
    [['--payload', import.meta.filename, '--count', '2'], '--payload goes with none of'],
    [['payout.failed', '--imaginary'], "unknown option '--imaginary'"],
  ])('refuses %j and says what it expected', async (args, expected) => {
    const { code, stdout, stderr } = await trigger(args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(expected)
    expect(server.received).toEqual([])
  })

  it('refuses a port that no server can listen on', async () => {
    const { code, stderr } = await trigger(['payout.failed'], { PORT: '0' })
    expect(code).toBe(1)
    expect(stderr).toContain('PORT: expected')
  })
})
