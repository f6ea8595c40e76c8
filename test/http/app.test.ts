import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import request from 'supertest'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ReceiverError } from '../../src/errors.ts'
import type { ChooseLane } from '../../src/event/lane.ts'
import { type AppOptions, createAdminApp, createApp } from '../../src/http/app.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { eventually } from '../support/eventually.ts'
import { captureLog } from '../support/log-lines.ts'
import { openRaw } from '../support/raw-http.ts'
import { openScratchInbox } from '../support/scratch-inbox.ts'
import { CONNECT_SECRET, SECRET, sign, snapshotJson, thinJson } from '../support/sign.ts'

const SECOND_SECRET = 'whsec_account_secret_2'

let store: Awaited<ReturnType<typeof openScratchInbox>>
let captured: Awaited<ReturnType<typeof captureLog>>
let inbox: Inbox
let nudges: number
let refusals: unknown[][]
let isDraining: boolean
beforeEach(async () => {
  store = await openScratchInbox()
  captured = await captureLog()
  inbox = store.inbox
  nudges = 0
  refusals = []
  isDraining = false
})
afterEach(() => store.remove())

const arrival = { mode: 'any', searchFields: ['data.object.customer'] } as const

function makeApp(overrides: Partial<AppOptions> = {}) {
  return createApp({
    inbox,
    add: inbox.add,
    log: captured.log,
    arrival,
    toleranceSeconds: 300,
    maxBodyBytes: 1_048_576,
    secrets: [SECRET, SECOND_SECRET],
    connectSecrets: [CONNECT_SECRET],
    isDraining: () => isDraining,
    onAccepted(_entry, result) {
      if (result === 'stored') nudges += 1
    },
    onRefused: (...refused) => void refusals.push(refused),
    ...overrides,
  })
}

const renderMetrics = async () => ({ contentType: 'text/plain; version=0.0.4', text: 'a_metric 1' })
const makeAdminApp = () => createAdminApp({ inbox, log: captured.log, isDraining: () => isDraining, renderMetrics })

/** Posts without letting the client re-encode the body. */
function post(body: string | Buffer, headers: Record<string, string> = {}, path = '/webhook', app = makeApp()) {
  return request(app)
    .post(path)
    .set({ 'content-type': 'application/json', ...headers })
    .serialize((sent) => sent)
    .send(body)
}
const signed = (body: string, options: Parameters<typeof sign>[1] = {}) => ({ 'stripe-signature': sign(body, options) })
const idOf = (body: string): string => JSON.parse(body).id
const total = async () => Object.values(await inbox.counts()).reduce((sum, count) => sum + count, 0)
const refusal = (code: string) => ({ error: { code, message: expect.stringMatching(/^[A-Z].*\.$/) } })

describe('POST /webhook with a delivery that is proven', () => {
  it.each([
    ['a snapshot event', snapshotJson, '/webhook', SECRET, '1:…et_1'],
    ['a thin event', thinJson, '/webhook', SECRET, '1:…et_1'],
    ['a snapshot event on the Connect route', snapshotJson, '/webhook/connect', CONNECT_SECRET, '1:…et_1'],
    ['a thin event on the Connect route', thinJson, '/webhook/connect', CONNECT_SECRET, '1:…et_1'],
    ['an event signed with the second secret', snapshotJson, '/webhook', SECOND_SECRET, '2:…et_2'],
  ])('stores %s, wakes the worker and answers 200', async (_name, make, path, secret, mark) => {
    const body = make()
    const response = await post(body, signed(body, { secret }), path)
    expect(response.status).toBe(200)
    expect(response.body).toEqual({ received: true })
    const found = await inbox.get(idOf(body))
    expect(found?.entry).toMatchObject({
      state: 'pending',
      secret: mark,
      route: path === '/webhook' ? 'account' : 'connect',
    })
    expect(Buffer.from(found?.body ?? []).toString()).toBe(body)
    expect(nudges).toBe(1)
  })

  it('stores it in the lane that is chosen for it, once it is proven', async () => {
    const seen: unknown[] = []
    const chooseLane: ChooseLane = ({ eventId, lane }, bytes) => {
      seen.push([eventId, lane, Buffer.from(bytes).toString()])
      return '/chosen'
    }
    const body = snapshotJson({ data: { object: { id: 'pi_1' } } })
    expect(
      (await post(body, signed('other'), '/webhook', makeApp({ arrival: { ...arrival, chooseLane } }))).status,
    ).toBe(400)
    expect((await post(body, signed(body), '/webhook', makeApp({ arrival: { ...arrival, chooseLane } }))).status).toBe(
      200,
    )
    expect(seen).toEqual([[idOf(body), '/pi_1', body]])
    expect((await inbox.get(idOf(body)))?.entry).toMatchObject({ lane: '/chosen', objectId: 'pi_1' })
  })

  it('takes the bytes as they are, whatever the content type', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'nonsense',
    ]) {
      const body = ` ${snapshotJson()}\r\n`
      const response = await post(body, { ...signed(body), 'content-type': type })
      expect(response.status, type).toBe(200)
      expect(Buffer.from((await inbox.get(idOf(body)))?.body ?? []).toString()).toBe(body)
    }
  })

  it('takes a chunked body without a length', async () => {
    const body = snapshotJson()
    const chunked = request(makeApp())
      .post('/webhook')
      .set({ ...signed(body), 'transfer-encoding': 'chunked' })
    chunked.write(body.slice(0, 100))
    chunked.write(body.slice(100))
    expect((await chunked).status).toBe(200)
    expect((await inbox.get(idOf(body)))?.entry.state).toBe('pending')
  })

  it('answers 200 to a duplicate, also over the other route, and keeps one entry', async () => {
    const body = snapshotJson()
    for (const [path, secret] of [
      ['/webhook', SECRET],
      ['/webhook', SECRET],
      ['/webhook/connect', CONNECT_SECRET],
    ] as const) {
      expect((await post(body, signed(body, { secret }), path)).status).toBe(200)
    }
    expect(await total()).toBe(1)
    expect(nudges).toBe(1)
  })

  it('accepts a good v1 after a bad one', async () => {
    const body = snapshotJson()
    const good = sign(body)
    const header = good.replace(',v1=', `,v1=${'0'.repeat(64)},v1=`)
    expect((await post(body, { 'stripe-signature': header })).status).toBe(200)
  })

  it.each([
    ['an unknown type', { type: 'invoice.imaginary' }],
    ['a type named constructor', { type: 'constructor' }],
    ['a type named __proto__', { type: '__proto__' }],
    ['no request', { request: undefined, account: 'acct_1' }],
    ['a request that is a string', { request: 'req_1' }],
    ['api_version null', { api_version: null }],
    ['no livemode', { livemode: undefined }],
    ['no data', { data: undefined }],
    ['no created', { created: undefined }],
  ])('takes an event with %s', async (_name, overrides) => {
    const body = snapshotJson(overrides)
    expect((await post(body, signed(body))).status).toBe(200)
    expect((await inbox.get(idOf(body)))?.entry.state).toBe('pending')
  })

  it.each([
    ['live', false, 'parked'],
    ['live', true, 'pending'],
    ['test', true, 'parked'],
    ['test', false, 'pending'],
    ['any', true, 'pending'],
    ['live', undefined, 'pending'],
  ] as const)('on a %s server: livemode %s is %s', async (mode, livemode, state) => {
    const body = snapshotJson({ livemode })
    const response = await post(body, signed(body), '/webhook', makeApp({ arrival: { ...arrival, mode } }))
    expect(response.status).toBe(200)
    expect((await inbox.get(idOf(body)))?.entry.state).toBe(state)
  })
})

describe('POST /webhook with a delivery that is refused', () => {
  const body = snapshotJson()
  const good = sign(body)
  // These were signed when the file was loaded, which may be a while ago.
  const signedAt = new Date()
  const [stamp = ''] = good.split(',')

  it.each([
    ['no header', body, undefined, 'signature_missing', /not from Stripe/],
    ['an empty header', body, '', 'signature_missing', /not from Stripe/],
    ['a garbage header', body, 'garbage', 'signature_malformed', /no timestamp/],
    ['a negative stamp', body, `t=-1,${good.split(',')[1]}`, 'signature_mismatch', /secret/],
    ['v1 empty', body, `${stamp},v1=`, 'signature_mismatch', /secret/],
    ['v1 empty before a good one', body, good.replace(',v1=', ',v1=,v1='), 'signature_mismatch', /secret/],
    ['64 non-ASCII characters in v1', body, `${stamp},v1=${'é'.repeat(64)}`, 'signature_mismatch', /secret/],
    ['only v0', body, good.replace('v1=', 'v0='), 'signature_malformed', /only a `v0`/],
    ['no scheme at all', body, stamp, 'signature_malformed', /no `v1`/],
    [
      'an upper-case signature',
      body,
      good.replace(/v1=.*/, (v1) => v1.replace(/[a-f]/g, (c) => c.toUpperCase())),
      'signature_mismatch',
      /secret/,
    ],
    [
      'a stamp older than the tolerance',
      body,
      sign(body, { ageSeconds: 400 }),
      'timestamp_too_old',
      /Signed 4\d\d s ago.*replayed.*clock/,
    ],
    [
      'a stamp further ahead than the tolerance',
      body,
      sign(body, { ageSeconds: -400 }),
      'timestamp_in_future',
      /in the future.*clock/,
    ],
    [
      'a body changed by one byte',
      body.replace('usd', 'usc'),
      good,
      'signature_mismatch',
      /stripe listen.*proxy re-write/s,
    ],
    ['another secret', body, sign(body, { secret: 'whsec_of_someone_else' }), 'signature_mismatch', /2 secret/],
    ['the Connect secret', body, sign(body, { secret: CONNECT_SECRET }), 'signature_mismatch', /Connect/],
    ['a valid signature over no JSON', 'hello', sign('hello'), 'bad_payload', /not JSON/],
    ['a valid signature over []', '[]', sign('[]'), 'bad_payload', /expected an event/],
    ['a valid signature over null', 'null', sign('null'), 'bad_payload', /expected an event/],
    ['a valid signature over {}', '{}', sign('{}'), 'bad_payload', /expected an event/],
    [
      'a valid signature over another object',
      '{"id":"evt_1","object":"charge","type":"x"}',
      sign('{"id":"evt_1","object":"charge","type":"x"}'),
      'bad_payload',
      /expected an event/,
    ],
    [
      'a valid signature over an event without an id',
      '{"object":"event","type":"x"}',
      sign('{"object":"event","type":"x"}'),
      'bad_payload',
      /`id` and `type`/,
    ],
    [
      'a valid signature over an event with a number for a type',
      '{"object":"event","id":"evt_1","type":1}',
      sign('{"object":"event","id":"evt_1","type":1}'),
      'bad_payload',
      /`id` and `type`/,
    ],
  ])('answers 400 to %s', async (_name, sent, header, code, reason) => {
    // Beside a body that is a string, Node would send the header as UTF-8, and the non-ASCII characters would double.
    const headers: Record<string, string> = header === undefined ? {} : { 'stripe-signature': header }
    const response = await post(Buffer.from(sent), headers, '/webhook', makeApp({ now: () => signedAt }))
    expect(response.status).toBe(400)
    expect(response.body).toEqual(refusal(code))
    expect(captured.lines()).toMatchObject([{ level: 40, code, reason: expect.stringMatching(reason) }])
    expect(refusals).toEqual([['account', 400, code]])
    expect(await total()).toBe(0)
    expect(nudges).toBe(0)
  })

  it('answers 400 to no body at all', async () => {
    const response = await request(makeApp()).post('/webhook').set('stripe-signature', good)
    expect(response.status).toBe(400)
    expect(await total()).toBe(0)
  })

  it('accepts stamps at the bounds of the tolerance', async () => {
    for (const ageSeconds of [298, -298]) {
      const delivery = snapshotJson()
      const headers = signed(delivery, { ageSeconds })
      const now = new Date()
      expect((await post(delivery, headers, '/webhook', makeApp({ now: () => now }))).status).toBe(200)
    }
  })

  it('answers 413 to a byte more than MAX_BODY_BYTES, with a length and without', async () => {
    const big = 'x'.repeat(1_048_577)
    const refused = await post(big, signed(big))
    expect([refused.status, refused.body]).toEqual([413, refusal('body_too_large')])
    const chunked = request(makeApp())
      .post('/webhook')
      .set({ ...signed(big), 'transfer-encoding': 'chunked' })
    chunked.write(big)
    expect((await chunked).status).toBe(413)
    expect(await total()).toBe(0)
  })

  it('takes a body of exactly MAX_BODY_BYTES', async () => {
    const full = snapshotJson({ pad: '' }).replace(
      '"pad":""',
      () => `"pad":"${'x'.repeat(1_048_576 - snapshotJson({ pad: '' }).length)}"`,
    )
    const sized = full.padEnd(1_048_576)
    expect((await post(sized, signed(sized))).status).toBe(200)
  })

  it('answers 415 to a compressed body', async () => {
    const zipped = gzipSync(body)
    const response = await post(zipped, { ...signed(body), 'content-encoding': 'gzip' })
    expect(response.status).toBe(415)
    expect(response.body).toEqual(refusal('encoding_unsupported'))
    expect(await total()).toBe(0)
  })

  it('answers 400 on the Connect route when it has no secret, and says which variable to set', async () => {
    const response = await post(body, { 'stripe-signature': good }, '/webhook/connect', makeApp({ connectSecrets: [] }))
    expect(response.status).toBe(400)
    expect(response.body).toEqual(refusal('secret_not_configured'))
    expect(captured.text()).toContain('STRIPE_CONNECT_WEBHOOK_SECRET')
  })
})

describe('when a delivery cannot be stored', () => {
  const body = snapshotJson()

  it('answers 503 with Retry-After while the store does not answer, and is not ready', async () => {
    const unavailable = () => Promise.reject(new ReceiverError('store_unavailable', 'the disk is full'))
    const app = makeApp({ inbox: { check: unavailable }, add: unavailable })
    const response = await post(body, signed(body), '/webhook', app)
    expect(response.status).toBe(503)
    expect(Number(response.get('retry-after'))).toBeGreaterThan(0)
    expect(response.body).toEqual(refusal('store_unavailable'))
    expect((await request(app).get('/readyz')).status).toBe(503)
    expect((await request(app).get('/healthz')).status).toBe(200)
  })

  it('stays ready for requests for an answer, which need no store, and says that it takes nothing else', async () => {
    const unavailable = () => Promise.reject(new ReceiverError('store_unavailable', 'the disk is full'))
    const reply = async () => ({ headers: {}, body: '{}' })
    const app = makeApp({ inbox: { check: unavailable }, add: unavailable, answering: { reply } })
    const ready = await request(app).get('/readyz')
    expect({ status: ready.status, body: ready.body }).toEqual({
      status: 200,
      body: { status: 'ready', store: 'the inbox does not take entries' },
    })
    isDraining = true
    expect((await request(app).get('/readyz')).status).toBe(503)
  })

  it('looks at the store once for all who ask at a time whether it is ready', async () => {
    const gate = Promise.withResolvers<void>()
    const check = vi.fn(() => gate.promise)
    const isDraining = vi.fn(() => false)
    const app = makeApp({ inbox: { check }, isDraining })
    const asking = Promise.all([1, 2, 3].map(() => request(app).get('/readyz')))
    await eventually('all to ask', () => isDraining.mock.calls.length === 3)
    gate.reject(new ReceiverError('store_unavailable', 'The store does not answer.'))
    expect((await asking).map(({ status }) => status)).toEqual([503, 503, 503])
    check.mockResolvedValue()
    expect((await request(app).get('/readyz')).status).toBe(200)
    expect(check).toHaveBeenCalledTimes(2)
  })

  it.each([
    ['waits', 'GET /readyz', ''],
    ['is refused behind one that waits', 'POST /webhook', 'Content-Encoding: gzip\r\n'],
    ['is of no route, behind one that waits', 'POST /nothing', ''],
  ])('keeps no body of a request that %s', async (_name, start, headers) => {
    const gate = Promise.withResolvers<void>()
    const app = makeApp({ inbox: { check: () => gate.promise } })
    const came: IncomingMessage[] = []
    const server = createServer((req, res) => {
      came.push(req)
      app(req, res)
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const connection = await openRaw((server.address() as AddressInfo).port)
    const head = `${start} HTTP/1.1\r\nHost: h\r\n${headers}Transfer-Encoding: chunked\r\n\r\n`
    connection.send(`GET /readyz HTTP/1.1\r\nHost: h\r\n\r\n${head}${'1\r\na\r\n'.repeat(30_000)}0\r\n\r\n`)
    // Each byte would take 430 while it waits to be read.
    await eventually('its body to be let go', () => came[1]?.complete && came[1].readableLength === 0, 5_000)
    gate.resolve()
    expect(await connection.answer()).toMatchObject({ status: 200 })
    expect(await connection.answer()).toBeDefined()
    connection.destroy()
    await new Promise((resolve) => server.close(resolve))
  })

  it('is not ready while it drains, and stores what comes', async () => {
    isDraining = true
    expect((await post(body, signed(body))).status).toBe(200)
    expect((await request(makeApp()).get('/readyz')).body).toEqual({ status: 'not ready', reason: 'draining' })
    expect(await total()).toBe(1)
  })

  it.each([
    ['/webhook/', 'account'],
    ['/WebHook', 'account'],
    ['/webhook/connect/', 'connect'],
    ['/webhook?version=2', 'account'],
  ])('is counted at %s too', async (path, route) => {
    expect((await post(body, {}, path)).body).toEqual(refusal('signature_missing'))
    expect(refusals).toEqual([[route, 400, 'signature_missing']])
  })

  it('is told in one line a second for each code and route, with how many it stands for', async () => {
    const app = makeApp()
    for (let number = 0; number < 5; number += 1) {
      await post(body, {}, '/webhook', app)
      await post(body, {}, '/webhook/connect', app)
    }
    await post(body, { 'stripe-signature': 'garbage' }, '/webhook', app)
    const told = () => captured.lines().map(({ path, code, requests }) => [path, code, requests])
    const [account, connect] = ['/webhook', '/webhook/connect']
    const first = [account, connect].map((path) => [path, 'signature_missing', undefined])
    expect(told()).toEqual([...first, [account, 'signature_malformed', undefined]])
    await eventually('the rest to be told', () => told().length === 5)
    expect(told().slice(3)).toEqual([account, connect].map((path) => [path, 'signature_missing', 4]))
    expect(refusals).toHaveLength(11)
  })

  it('answers 500 to a fault of its own, and logs it without the body', async () => {
    const broken = makeApp({
      add: () => Promise.reject(Object.assign(new Error('a bug'), { payload: body })),
    })
    const response = await post(body, signed(body), '/webhook', broken)
    expect(response.status).toBe(500)
    expect(response.body).toEqual(refusal('internal'))
    expect(captured.lines()).toMatchObject([{ level: 50, err: { message: 'a bug' } }])
    expect(captured.text()).not.toContain(JSON.parse(body).id)
  })
})

describe('everything else', () => {
  it.each(['get', 'put', 'delete', 'patch', 'options'] as const)('answers 405 to %s on /webhook', async (method) => {
    for (const path of ['/webhook', '/webhook/connect']) {
      const response = await request(makeApp())[method](path)
      expect(response.status).toBe(405)
      expect(response.get('allow')).toBe('POST')
    }
  })

  it.each(['/', '/metrics', '/webhooks', '/webhook/other', '/%E0%A4%A', '/healthz/x'])(
    'answers 404 to %s',
    async (path) => {
      expect((await request(makeApp()).get(path)).status).toBe(404)
      expect((await request(makeApp()).post(path)).status).toBe(404)
    },
  )

  it.each([
    ['public', () => makeApp()],
    ['admin', () => makeAdminApp()],
  ])('tells life and readiness on the %s port', async (_name, make) => {
    expect((await request(make()).get('/healthz')).body).toEqual({ status: 'alive' })
    expect((await request(make()).get('/readyz')).body).toEqual({ status: 'ready' })
  })

  it('takes no deliveries on the admin port', async () => {
    const body = snapshotJson()
    expect((await request(makeAdminApp()).post('/webhook').set(signed(body)).send(body)).status).toBe(404)
  })

  it('shows metrics on the admin port alone', async () => {
    const response = await request(makeAdminApp()).get('/metrics')
    expect(response.text).toBe('a_metric 1')
    expect(response.get('content-type')).toContain('version=0.0.4')
  })

  it('answers 503 to more bytes of bodies than it may hold, and takes the next one', async () => {
    const app = makeApp({ maxHeldBytes: 100_000 })
    const big = snapshotJson({ pad: 'x'.repeat(150_000) })
    const refused = await post(big, signed(big), '/webhook', app)
    expect(refused.status).toBe(503)
    expect(refused.body).toEqual(refusal('overloaded'))
    const small = snapshotJson()
    expect((await post(small, signed(small), '/webhook', app)).status).toBe(200)
  })

  it('answers a request for an answer although deliveries hold all the bytes that they may', async () => {
    const type = 'issuing_authorization.request'
    const stored = Promise.withResolvers<'added'>()
    const arrived = Promise.withResolvers<void>()
    const app = makeApp({
      arrival: { ...arrival, requestTypes: new Set([type]) },
      maxHeldBytes: 1_000,
      add() {
        arrived.resolve()
        return stored.promise
      },
      answering: {
        reply: async () => ({ headers: { 'Content-Type': 'application/json' }, body: '{"approved":true}' }),
      },
    })
    const held = snapshotJson({ pad: 'x'.repeat(400) })
    // Sent by this, and answered at the end.
    const holding = post(held, signed(held), '/webhook', app).then((response) => response.status)
    await arrived.promise
    const [asked, other] = [snapshotJson({ type, pad: 'x'.repeat(400) }), snapshotJson({ pad: 'x'.repeat(400) })]
    const answered = await post(asked, signed(asked), '/webhook', app)
    expect({ status: answered.status, body: answered.body }).toEqual({ status: 200, body: { approved: true } })
    const refused = await post(other, signed(other), '/webhook', app)
    expect({ status: refused.status, body: refused.body }).toEqual({ status: 503, body: refusal('overloaded') })
    const chunked = request(app)
      .post('/webhook')
      .set({ ...signed(asked), 'transfer-encoding': 'chunked' })
    chunked.write(asked)
    expect((await chunked).status).toBe(200)
    stored.resolve('added')
    expect(await holding).toBe(200)
  })

  it('does not tell what it is made of', async () => {
    expect((await request(makeApp()).get('/healthz')).get('x-powered-by')).toBeUndefined()
  })
})
