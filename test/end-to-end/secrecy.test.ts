import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Entry } from '../../src/event.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { openSqliteInbox } from '../../src/inbox/sqlite/inbox.ts'
import { scrub } from '../../src/log.ts'
import { type AlertReceiver, startAlertReceiver } from '../support/alert-receiver.ts'
import { type EchoingApi, openEchoingApi } from '../support/echoing-api.ts'
import { eventually } from '../support/eventually.ts'
import { carelessness } from '../support/leaky-handlers.ts'
import { exchangeRaw, rawRequest } from '../support/raw-http.ts'
import { makeScratch } from '../support/scratch.ts'
import {
  findLeaks,
  markedSnapshot,
  markedThin,
  marker,
  secretSettings,
  secrets,
  signSecretly,
} from '../support/secrets-watch.ts'
import { type ServerProcess, spawnServer, startInVain } from '../support/spawn-server.ts'

/** Everything that was answered or written. */
const told: { where: string; text: string }[] = []
let scratch: Awaited<ReturnType<typeof makeScratch>>
let api: EchoingApi
let receiver: AlertReceiver
let server: ServerProcess
beforeAll(async () => {
  scratch = await makeScratch()
  api = await openEchoingApi()
  receiver = await startAlertReceiver()
  server = await spawnServer({
    folder: scratch.path,
    env: {
      ...secretSettings,
      HANDLERS: fileURLToPath(new URL('../support/leaky-handlers.ts', import.meta.url)),
      STRIPE_API_BASE: api.url,
      ALERT_URL: new URL(new URL(secrets.alertUrl).pathname, receiver.url).href,
      STRIPE_MODE: 'test',
      MAX_ATTEMPTS: '1',
      MAX_BODY_BYTES: '20000',
      SHUTDOWN_TIMEOUT_MS: '3000',
      LOG_LEVEL: 'trace',
    },
  })
})
afterAll(async () => {
  server.kill('SIGKILL')
  await server.exited
  await api.close()
  await receiver.close()
  await scratch.remove()
})

/** Posts, keeps what was answered, and gives the status. */
async function post(
  body: string,
  signature?: string,
  { path = '/webhook', method = 'POST', headers = {}, cutBytes = 0 } = {},
): Promise<number | undefined> {
  const signed = signature === undefined ? {} : { 'Stripe-Signature': signature }
  const request = rawRequest(body, { method, path, headers: { ...headers, ...signed } })
  const cut = request.subarray(0, request.length - cutBytes)
  const answers = await exchangeRaw(Number(new URL(server.url).port), cut, cutBytes === 0 ? 1 : undefined)
  for (const { head, body: answered } of answers) told.push({ where: 'answer', text: head + answered })
  return answers[0]?.status
}

async function get(url: string): Promise<number> {
  const response = await fetch(url)
  told.push({ where: url, text: JSON.stringify([...response.headers]) + (await response.text()) })
  return response.status
}

async function withInbox<T>(read: (inbox: Inbox) => Promise<T>): Promise<T> {
  const inbox = await openSqliteInbox(join(scratch.path, 'data', 'inbox.db'), 'command')
  return read(inbox).finally(() => inbox.close())
}

async function textOfRefusal(env: Record<string, string>): Promise<string> {
  const { code, text } = await startInVain({ folder: scratch.path, env: { ...secretSettings, ...env } })
  expect(code).toBe(1)
  return text
}

describe('neither body, signature, secret nor API key', () => {
  it('is told over what is taken', async () => {
    const body = markedSnapshot()
    expect(await post(body, signSecretly(body))).toBe(200)
    expect(await post(body, signSecretly(body, { secret: secrets.rolled }))).toBe(200)
    const onConnect = signSecretly(body, { secret: secrets.connect })
    expect(await post(body, onConnect, { path: '/webhook/connect' })).toBe(200)
    const live = markedSnapshot({ livemode: true })
    expect(await post(live, signSecretly(live))).toBe(200)
  })

  it('is told over what is refused', async () => {
    const body = markedSnapshot({ id: `evt_${marker}`, type: marker, account: marker })
    const good = signSecretly(body)
    const oddTexts = [marker, JSON.stringify(marker), `{"${marker}":`, JSON.stringify({ id: marker, object: marker })]
    const refused: [string, string | undefined][] = [
      [body, undefined],
      [body, marker],
      [body, good.replace('v1', 'v0')],
      [body, good.replace('v1', 'v2')],
      [body, good.replace('t=', '')],
      [body, `${good.slice(0, -1)}x`],
      [body, signSecretly(body, { secret: secrets.connect })],
      [body, signSecretly(body, { ageSeconds: 1_000 })],
      [body, signSecretly(body, { ageSeconds: -1_000 })],
      [body, signSecretly(body, { ageSeconds: 2_000 })],
      [`${body} `, good],
      ...oddTexts.map((text): [string, string] => [text, signSecretly(text)]),
    ]
    for (const [text, signature] of refused) expect(await post(text, signature)).toBe(400)
    expect(await post(marker.repeat(1_000), good)).toBe(413)
    expect(await post(body, good, { headers: { 'Content-Encoding': 'gzip' } })).toBe(415)
    expect(await post(body, good, { method: 'PUT' })).toBe(405)
    expect(await post(body, good, { path: '/webhook/other' })).toBe(404)
    expect(await post(body, good, { headers: { [`${marker}(`]: '1' } })).toBe(400)
    expect(await post(body, good, { headers: { 'X-Long': marker.repeat(1_000) } })).toBe(431)
    expect(await post(body, good, { cutBytes: 5 })).toBe(400)
  })

  it('is told when handlers fail carelessly, and when Stripe refuses the key', async () => {
    const careless = Object.keys(carelessness)
    const bodies = [...careless, 'logged'].map((kind) => markedSnapshot({ type: `${kind}.happened` }))
    const thin = ['/v1/payment_intents/pi_1', '/v1/forbidden', '/v1/missing'].map(markedThin)
    for (const body of [...bodies, ...thin]) expect(await post(body, signSecretly(body))).toBe(200)
    const expected = careless.length + thin.length
    await withInbox((inbox) => eventually('all to be dead', async () => (await inbox.counts()).dead === expected))
    expect(api.authorizations.length).toBeGreaterThanOrEqual(thin.length)
    expect(new Set(api.authorizations)).toEqual(new Set([`Bearer ${secrets.apiKey}`]))
  })

  it('is told while the store does not answer, and while the server drains', async () => {
    const slow = markedSnapshot({ type: 'slow.happened', data: { object: { id: 'pi_slow' } } })
    expect(await post(slow, signSecretly(slow))).toBe(200)
    await eventually('it to run', () => server.text().includes('slow handler started'))
    using db = new DatabaseSync(join(scratch.path, 'data', 'inbox.db'), { timeout: 5_000 })
    db.exec('BEGIN IMMEDIATE')
    const body = markedSnapshot()
    expect(await post(body, signSecretly(body))).toBe(503)
    expect(await get(`${server.url}/readyz`)).toBe(503)
    db.exec('COMMIT')
    expect(await get(`${server.url}/readyz`)).toBe(200)
    expect(await get(`${server.adminUrl}/metrics`)).toBe(200)
    server.kill('SIGTERM')
    await eventually('the drain', () => server.lines().some(({ signal }) => signal === 'SIGTERM'))
    expect(await post(body, signSecretly(body))).toBe(200)
    expect(await server.exited).toMatchObject({ code: 0 })
  })

  it('is told when the server does not start', async () => {
    const throws = join(scratch.path, 'throws.js')
    await writeFile(throws, 'const { STRIPE_API_KEY: key } = process.env; throw Object.assign(new Error(key), { key })')
    const { account, rolled, connect, apiKey, alertUrl } = secrets
    const environments: Record<string, string>[] = [
      { STRIPE_WEBHOOK_SECRET: apiKey, STRIPE_API_KEY: account, STRIPE_CONNECT_WEBHOOK_SECRET: `${connect} ${rolled}` },
      { PORT: apiKey, STRIPE_API_BASE: connect, LOG_LEVEL: account, STRIPE_MODE: 'live' },
      { ALERT_URL: alertUrl.replace('http', 'ftp'), PORT: alertUrl },
      { DATABASE_URL: apiKey, ROLE: rolled, ADMIN_PORT: connect },
      { HANDLERS: throws },
    ]
    for (const env of environments)
      told.push({ where: `start with ${Object.keys(env)}`, text: await textOfRefusal(env) })
  })

  it.each([
    ['a key', `Bearer ${secrets.apiKey}`],
    ['a key after a letter', `key=${secrets.apiKey}`],
    ['a signature', signSecretly(marker)],
  ])('is left in a text that holds %s percent-encoded', (_name, text) => {
    expect(findLeaks(scrub(encodeURIComponent(text)))).toEqual([])
  })

  it.each([
    ['HANDLERS', secrets.apiKey],
    ['HOST', secrets.account],
    ['DATABASE_URL', `file:/dev/null/${secrets.connect}`],
  ])('is told when it stands where a path or a host should, in %s', async (variable, misplaced) => {
    expect(findLeaks(await textOfRefusal({ [variable]: misplaced }))).toEqual([])
  })

  // Last, over all that came before.
  it('is in any line of the log, any answer, or any reason in the inbox', async () => {
    for (const line of server.text().split('\n')) told.push({ where: 'log', text: line })
    const entries: Entry[] = await withInbox((inbox) => inbox.list({}, { limit: 100 }))
    for (const entry of entries) {
      const found = await withInbox((inbox) => inbox.get(entry.eventId))
      told.push({ where: 'inbox', text: JSON.stringify([entry, found?.attempts]) })
    }
    for (const { json } of receiver.alerts) told.push({ where: 'alert', text: JSON.stringify(json) })
    expect(receiver.alerts.map(({ json }) => json.kind)).toEqual(
      expect.arrayContaining(['event_died', 'signatures_refused']),
    )
    expect(told.length).toBeGreaterThan(100)
    expect(entries.length).toBeGreaterThan(Object.keys(carelessness).length)
    expect(told.filter(({ text }) => findLeaks(text).length > 0)).toEqual([])
    // It would be found.
    expect(findLeaks(markedSnapshot() + JSON.stringify(secretSettings)).sort()).toEqual(
      [...Object.keys(secrets), 'marker'].sort(),
    )
  })
})
