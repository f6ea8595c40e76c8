import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import express from 'express'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAuthentication } from '../../src/console/authenticate.ts'
import { captureLog } from '../support/log-lines.ts'
import { newEntry } from '../support/new-entry.ts'
import { makeScratch } from '../support/scratch.ts'
import { basic, type ConsoleRig, openConsole, PASSWORD } from './rig.ts'

const run = promisify(execFile)
const src = new URL('../../src/', import.meta.url)
const EVENT = 'evt_let_in'
const REPLAY = `/console/replay?id=${EVENT}`

let rig: ConsoleRig
let own: string
beforeAll(async () => {
  rig = await openConsole({ ADMIN_ALLOWED_HOSTS: 'admin.example, other.example' })
  own = new URL(rig.url).host
  await rig.service.inbox.add(newEntry({ eventId: EVENT, state: 'parked', reason: 'for a test' }))
})
afterAll(() => rig.close())

describe('without CONSOLE_PASSWORD', () => {
  it('the address tells how to set one, whatever is asked for', async () => {
    const off = await openConsole({ CONSOLE_PASSWORD: '' })
    for (const path of ['/console', '/console/', '/console/events?state=dead', '/console/assets/1/console.js']) {
      const { status, text } = await off.ask(path)
      expect({ path, status }).toEqual({ path, status: 404 })
      expect(text).toContain('set CONSOLE_PASSWORD to 16 characters or more')
    }
    await off.close()
  })

  it('nothing of it is loaded', async () => {
    const scratch = await makeScratch()
    const program = join(scratch.path, 'count.mjs')
    await writeFile(
      program,
      `import { registerHooks } from 'node:module'
      import { parseConfig } from ${JSON.stringify(new URL('config.ts', src).href)}
      import { createService } from ${JSON.stringify(new URL('service.ts', src).href)}
      const loaded = []
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
      const fixed = { STRIPE_WEBHOOK_SECRET: 'whsec_12345678', DATABASE_URL: 'file:inbox.db', PORT: '0', ADMIN_PORT: '0', ROLE: 'receive' }
      for (const CONSOLE_PASSWORD of ['', 'x'.repeat(16)]) {
        const service = await createService(parseConfig({ ...fixed, CONSOLE_PASSWORD }))
        await service.stop()
        console.log(loaded.filter((url) => url.includes('/src/console/')).length)
      }`,
    )
    const { stdout } = await run(process.execPath, [program], { cwd: scratch.path })
    const [off, on] = stdout.split('\n').filter((line) => /^\d+$/.test(line))
    await scratch.remove()
    expect(off).toBe('0')
    expect(Number(on)).toBeGreaterThan(10)
  })
})

describe('the password', () => {
  it('is asked for on every address of the console, and of nothing else', async () => {
    for (const path of ['/console', '/console/events', '/console/nothing', '/console/assets/1/console.js']) {
      const { status, headers, text } = await rig.ask(path, { headers: { authorization: '' } })
      expect(status).toBe(401)
      expect(headers['www-authenticate']).toBe('Basic realm="stripe-webhook-receiver", charset="UTF-8"')
      expect(text).not.toContain('<')
    }
    for (const path of ['/metrics', '/healthz', '/readyz']) {
      expect((await rig.ask(path, { headers: { authorization: '', host: 'prometheus:9090' } })).status).toBe(200)
    }
    expect((await rig.ask('/')).headers.location).toBe('/console')
  })

  it('lets in by any name, which pages and the log tell', async () => {
    const { status, text } = await rig.ask('/console', { headers: { authorization: basic('<i>grace\u202e') } })
    expect(status).toBe(200)
    expect(text).toContain('&lt;i&gt;grace')
    const headers = { authorization: basic('grace'), origin: rig.url }
    expect((await rig.ask(REPLAY, { method: 'POST', headers })).status).toBe(303)
    expect((await rig.service.inbox.actions({ limit: 1 }))[0]?.facts).toMatchObject({ who: 'grace', eventIds: [EVENT] })
  })

  it.each([
    ['another', basic('ada', `${PASSWORD}!`)],
    ['a part of it', basic('ada', PASSWORD.slice(0, -1))],
    ['none', basic('ada', '')],
    ['the name in its place', `Basic ${Buffer.from(PASSWORD).toString('base64')}`],
    ['another scheme', `Bearer ${PASSWORD}`],
    ['no base64', `Basic ${PASSWORD}`],
  ])('is none when it is %s', async (_what, authorization) => {
    expect((await rig.ask('/console', { headers: { authorization } })).status).toBe(401)
    expect((await rig.ask('/console')).status).toBe(200)
  })

  it('may hold colons and letters of any script', async () => {
    const password = 'пароль:с:двоеточием'
    const other = await openConsole({ CONSOLE_PASSWORD: password })
    expect((await other.ask('/console', { headers: { authorization: basic('ada', password) } })).status).toBe(200)
    await other.close()
  })
})

describe('wrong passwords', () => {
  async function openDoor() {
    const captured = await captureLog()
    let now = 0
    const app = express()
    app.use((req, _res, next) => {
      // In place of the connection's own address.
      Object.defineProperty(req, 'socket', { value: { remoteAddress: req.get('x-from') } })
      next()
    })
    app.use(createAuthentication({ password: PASSWORD, log: captured.log, now: () => now }))
    app.use((_req, res) => void res.send('in'))
    const knock = async (from: string, password: string) => {
      const { status, headers } = await request(app)
        .get('/')
        .set({ authorization: basic('x', password), 'x-from': from })
      return { status, wait: headers['retry-after'] }
    }
    const pass = (ms: number) => {
      now += ms
    }
    return { knock, pass, lines: captured.lines }
  }

  it('cost an address half a minute each, from the tenth on', async () => {
    const { knock, pass, lines } = await openDoor()
    for (let count = 1; count <= 10; count += 1) expect((await knock('1.1.1.1', 'wrong')).status).toBe(401)
    expect(lines()).toMatchObject([{ address: '1.1.1.1', failures: 10, msg: 'wrong passwords for the console' }])
    expect(await knock('1.1.1.1', PASSWORD)).toEqual({ status: 429, wait: '30' })
    expect((await knock('2.2.2.2', PASSWORD)).status).toBe(200)
    pass(30_000)
    expect((await knock('1.1.1.1', 'wrong')).status).toBe(401)
    expect((await knock('1.1.1.1', PASSWORD)).status).toBe(429)
    pass(30_000)
    expect((await knock('1.1.1.1', PASSWORD)).status).toBe(200)
    // The right one makes up for those before it.
    expect((await knock('1.1.1.1', 'wrong')).status).toBe(401)
    expect((await knock('1.1.1.1', PASSWORD)).status).toBe(200)
    expect(JSON.stringify(lines())).not.toContain(PASSWORD)
  })

  it('are forgotten after a quarter of an hour', async () => {
    const { knock, pass } = await openDoor()
    for (let count = 1; count <= 9; count += 1) await knock('1.1.1.1', 'wrong')
    pass(15 * 60_000)
    expect((await knock('1.1.1.1', 'wrong')).status).toBe(401)
    expect((await knock('1.1.1.1', PASSWORD)).status).toBe(200)
  })

  it('are remembered of a thousand addresses at most', async () => {
    const { knock } = await openDoor()
    for (let count = 1; count <= 10; count += 1) await knock('1.1.1.1', 'wrong')
    expect((await knock('1.1.1.1', PASSWORD)).status).toBe(429)
    for (let count = 0; count < 1_000; count += 1) await knock(`10.0.${count >> 8}.${count & 255}`, 'wrong')
    expect((await knock('1.1.1.1', PASSWORD)).status).toBe(200)
  })
})

describe('the name in the address', () => {
  it.each([
    'localhost',
    'LOCALHOST:1',
    '127.0.0.1',
    '127.1.2.3:99',
    '[::1]',
    '[::1]:4243',
    'admin.example',
    'other.example:8443',
  ])('may be %s', async (host) => {
    expect((await rig.ask('/console', { headers: { host } })).status).toBe(200)
  })

  it.each([
    'foreign.example',
    'localhost.foreign.example',
    '127.0.0.1.foreign.example',
    'admin.example.foreign.example',
    'foreign.example#localhost',
    'x@localhost',
    '192.168.0.7',
    '0.0.0.0',
  ])('is refused when it is %s', async (host) => {
    const { status, text } = await rig.ask('/console', { headers: { host } })
    expect({ status, text }).toEqual({ status: 403, text: expect.stringContaining('ADMIN_ALLOWED_HOSTS') })
  })

  it('may be ADMIN_HOST', async () => {
    const other = await openConsole({ ADMIN_HOST: '0.0.0.0' })
    expect((await other.ask('/console', { headers: { host: '0.0.0.0:4243' } })).status).toBe(200)
    expect((await other.ask('/console', { headers: { host: 'admin.example' } })).status).toBe(403)
    await other.close()
  })
})

describe('what another site leads to', () => {
  const ask = (path: string, headers: Record<string, string>, method = 'GET') => rig.ask(path, { method, headers })

  it.each(['cross-site', 'same-site'])('is read as a page that someone sees, and not otherwise: %s', async (site) => {
    const seen = { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
    expect((await ask('/console', seen)).status).toBe(200)
    for (const [mode, dest] of [
      ['no-cors', 'script'],
      ['no-cors', 'image'],
      ['cors', 'empty'],
      ['navigate', 'iframe'],
    ]) {
      const hidden = { 'sec-fetch-site': site, 'sec-fetch-mode': mode ?? '', 'sec-fetch-dest': dest ?? '' }
      expect((await ask('/console/events', hidden)).status).toBe(403)
    }
  })

  it.each([
    [{ 'sec-fetch-site': 'same-origin' }, 303],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ 'sec-fetch-site': 'none' }, 403],
    [{ 'sec-fetch-site': 'cross-site', origin: 'own' }, 403],
    [{ origin: 'own' }, 303],
    [{ origin: 'http://foreign.example' }, 403],
    [{ origin: 'http://localhost:1' }, 403],
    [{ origin: 'null' }, 403],
    [{}, 403],
    [{ host: 'admin.example', origin: 'https://admin.example' }, 303],
    [{ host: 'admin.example', origin: 'https://other.example' }, 403],
  ])('is done or not by what the browser tells of it: %j → %i', async (told, status) => {
    const headers = Object.fromEntries(
      Object.entries(told).map(([name, value]) => [name, value === 'own' ? `http://${own}` : value]),
    )
    expect((await ask(REPLAY, headers, 'POST')).status).toBe(status)
  })

  it('is refused by other methods', async () => {
    for (const method of ['PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const { status, headers } = await ask(REPLAY, { origin: `http://${own}` }, method)
      expect({ status, cors: headers['access-control-allow-origin'] }).toEqual({ status: 405, cors: undefined })
    }
  })
})

it('every answer forbids what no page needs', async () => {
  const paths = ['/console', '/console/nothing', `/console/payload?id=${EVENT}`, '/console/events?state=gone']
  const answers = [
    ...(await Promise.all(paths.map((path) => rig.ask(path)))),
    await rig.ask('/console', { headers: { authorization: '' } }),
  ]
  for (const { headers } of answers) {
    expect(headers).toMatchObject({
      'content-security-policy': expect.stringMatching(/^default-src 'none'; .*frame-ancestors 'none'/),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    })
    expect(Object.keys(headers).filter((name) => /access-control|set-cookie|powered/.test(name))).toEqual([])
    expect(String(headers['content-security-policy'])).not.toMatch(/unsafe|\*|data:|http/)
  }
})

it('with CONSOLE_READ_ONLY nothing is done, and there is no button for it', async () => {
  const only = await openConsole({ CONSOLE_READ_ONLY: '1' })
  await only.service.inbox.add(newEntry({ eventId: EVENT, state: 'parked', reason: 'for a test' }))
  const { status, text } = await only.ask(REPLAY, { method: 'POST', headers: { origin: only.url } })
  expect({ status, text }).toEqual({ status: 403, text: expect.stringContaining('CONSOLE_READ_ONLY') })
  expect((await only.service.inbox.get(EVENT))?.entry.state).toBe('parked')
  for (const path of [
    `/console/event?id=${EVENT}`,
    '/console',
    '/console/change?verb=replay&state=parked',
    '/console/events?state=parked',
  ]) {
    const page = await only.ask(path)
    expect(page.text).toContain('read-only')
    expect(page.text).not.toMatch(/method="post"|Replay what matches…/)
  }
  expect((await rig.ask(`/console/event?id=${EVENT}`)).text).toContain('method="post"')
  await only.close()
})
