import { readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openSqliteInbox } from '../../src/inbox/sqlite/inbox.ts'
import { deliver } from '../support/deliver.ts'
import { eventually } from '../support/eventually.ts'
import { newEntry } from '../support/new-entry.ts'
import { exchangeRaw } from '../support/raw-http.ts'
import { makeScratch } from '../support/scratch.ts'
import { type ScriptedServer, scriptedJson, startScripted } from '../support/scripted-server.ts'
import { CONNECT_SECRET, snapshotJson, thinJson } from '../support/sign.ts'
import { type ServerProcess, spawnServer, startInVain } from '../support/spawn-server.ts'

type Scratch = Awaited<ReturnType<typeof makeScratch>>

const logged = (running: ServerProcess, msg: string) => running.lines().filter((line) => line.msg === msg)

async function end(running: ServerProcess | undefined): Promise<void> {
  running?.kill('SIGKILL')
  await running?.exited
}

describe('the server as a process', () => {
  let scratch: Scratch
  let server: ServerProcess
  beforeAll(async () => {
    scratch = await makeScratch()
    server = await spawnServer({ folder: scratch.path })
  })
  afterAll(async () => {
    await end(server)
    await scratch.remove()
  })

  it('says where it listens and how to send it events, and keeps its file for the owner', async () => {
    await eventually('what it says last', () => server.text().includes('Workbench'))
    const command = `stripe listen --all-snapshot --forward-to ${server.url}/webhook --forward-connect-to ${server.url}/webhook/connect`
    expect(server.text()).toContain(`"${command}"`)
    expect(logged(server, 'listening')).toMatchObject([{ address: `127.0.0.1:${new URL(server.url).port}` }])
    expect(statSync(join(scratch.path, 'data', 'inbox.db')).mode & 0o777).toBe(0o600)
    for (const base of [server.url, server.adminUrl])
      for (const path of ['healthz', 'readyz']) expect((await fetch(`${base}/${path}`)).status).toBe(200)
    expect((await fetch(`${server.adminUrl}/metrics`)).status).toBe(200)
    expect((await fetch(`${server.url}/metrics`)).status).toBe(404)
  })

  it('accepts, stores and settles every captured event, on both routes', async () => {
    const folder = new URL('../fixtures/payloads/', import.meta.url)
    // Some captures share an id, so each gets one of its own.
    const captured = readdirSync(folder).map((name) => {
      const body = readFileSync(new URL(name, folder), 'utf8')
      return { name, body: body.replaceAll(JSON.parse(body).id, `evt_${name}`), type: String(JSON.parse(body).type) }
    })
    expect(captured.length).toBeGreaterThan(10)
    for (const { body } of captured) expect(await deliver(`${server.url}/webhook`, body)).toBe(200)
    const connected = snapshotJson({ account: 'acct_1', type: 'account.updated' })
    expect(await deliver(`${server.url}/webhook/connect`, connected, { secret: CONNECT_SECRET })).toBe(200)
    expect(
      await deliver(`${server.url}/webhook/connect`, thinJson({ context: 'acct_1' }), { secret: CONNECT_SECRET }),
    ).toBe(200)

    const settled = () => [
      ...logged(server, 'event handled'),
      ...logged(server, 'event unhandled: no handler for its type'),
    ]
    await eventually('all to settle', () => settled().length === captured.length + 2)
    for (const { name, type } of captured) {
      const line = settled().find(({ eventId }) => eventId === `evt_${name}`)
      expect(line?.msg === 'event handled', name).toBe(type !== 'payment_intent.canceled')
    }
  })

  it('does not start on an inbox that another server works on', async () => {
    const { code, text } = await startInVain({ folder: scratch.path })
    expect(code).toBe(1)
    expect(text).toContain('Another server is running on the inbox')
  })

  it('tells, logs and counts what Node itself refuses', async () => {
    const port = Number(new URL(server.url).port)
    const refused: [bytes: string, status: number, code: string][] = [
      ['GARBAGE\r\n\r\n', 400, 'request_malformed'],
      [`POST /webhook HTTP/1.1\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
    ]
    for (const [bytes, status, code] of refused) {
      const [answer] = await exchangeRaw(port, bytes)
      expect([answer?.status, JSON.parse(answer?.body ?? '').error.code]).toEqual([status, code])
      await eventually('the log to tell', () => server.lines().some((line) => line.code === code))
      const metrics = await (await fetch(`${server.adminUrl}/metrics`)).text()
      expect(metrics).toContain(`stripe_receiver_refusals_total{route="none",reason="${code}"} 1`)
    }
  })

  it('does not start on a port that is taken, and says which variable to set', async () => {
    const { code, text } = await startInVain({
      folder: scratch.path,
      env: { PORT: new URL(server.url).port, DATABASE_URL: 'file:./other.db' },
    })
    expect(code).toBe(1)
    expect(text).toMatch(/EADDRINUSE.*set PORT/)
  })
})

describe("the server with a user's handlers, in TypeScript", () => {
  let scratch: Scratch
  let server: ServerProcess
  beforeAll(async () => {
    scratch = await makeScratch()
    const module = join(scratch.path, 'handlers.ts')
    await writeFile(
      module,
      `type Context = { log: { info(text: string): void } }
       const ran = (event: { id: string }, ctx: Context) => ctx.log.info('ran: ' + event.id)
       export const handlers = { 'invoice.paid': ran, 'payment_intent.succeeded': ran, 'v1.payment_intent.succeeded': ran }
       export const fallback = (event, ctx) => ctx.log.info('fell back: ' + event.type + ' ' + ctx.known + ' ' + event.id)`,
    )
    server = await spawnServer({ folder: scratch.path, env: { HANDLERS: module } })
  })
  afterAll(async () => {
    await end(server)
    await scratch.remove()
  })

  const isHandled = (body: string) =>
    eventually('it to be handled', () =>
      logged(server, 'event handled').some(({ eventId }) => eventId === JSON.parse(body).id),
    )
  async function handle(...bodies: string[]): Promise<void> {
    for (const body of bodies) expect(await deliver(`${server.url}/webhook`, body)).toBe(200)
    await Promise.all(bodies.map(isHandled))
  }
  const didRun = (body: string) => logged(server, `ran: ${JSON.parse(body).id}`).length

  it('hands it events', async () => {
    const [paid, odd] = [snapshotJson({ type: 'invoice.paid' }), snapshotJson({ type: 'constructor' })]
    await handle(paid, odd)
    expect(didRun(paid)).toBe(1)
    expect(server.text()).toContain(`fell back: constructor false ${JSON.parse(odd).id}`)
  })

  it('runs one handler of a change that came in both shapes', async () => {
    const { snapshot, thin } = makeTwins()
    await handle(thin, snapshot)
    expect(didRun(thin) + didRun(snapshot)).toBe(1)
    const inbox = await openSqliteInbox(join(scratch.path, 'data', 'inbox.db'), 'command')
    const found = await Promise.all([thin, snapshot].map((body) => inbox.get(JSON.parse(body).id)))
    await inbox.close()
    expect(found.filter((detail) => detail?.entry.reason?.includes('twin'))).toHaveLength(1)
  })

  it('runs the handler of a change whose twin went to the fallback', async () => {
    const snapshot = snapshotJson({ type: 'invoice.paid' })
    const thin = thinJson({ type: 'v1.invoice.paid', snapshot_event: JSON.parse(snapshot).id })
    await handle(thin)
    await handle(snapshot)
    expect(server.text()).toContain(`fell back: v1.invoice.paid true ${JSON.parse(thin).id}`)
    expect(didRun(snapshot)).toBe(1)
  })
})

/** Two events that tell of the same change. */
function makeTwins(): { snapshot: string; thin: string } {
  const snapshot = snapshotJson()
  const { id, data } = JSON.parse(snapshot)
  const related_object = { id: data.object.id, type: 'payment_intent', url: '/v1/x' }
  return { snapshot, thin: thinJson({ snapshot_event: id, related_object }) }
}

describe('the server, set up otherwise', () => {
  let scratch: Scratch
  let server: ServerProcess | undefined
  beforeEach(async () => {
    scratch = await makeScratch()
  })
  afterEach(async () => {
    vi.useRealTimers()
    await end(server)
    server = undefined
    await scratch.remove()
  })

  async function start(env: Record<string, string> = {}): Promise<ServerProcess> {
    server = await spawnServer({ folder: scratch.path, env })
    return server
  }

  it('counts what becomes of deliveries and attempts', async () => {
    const module = join(scratch.path, 'handlers.js')
    await writeFile(
      module,
      `export const handlers = {
        'payment_intent.succeeded': () => {}, 'payout.failed': () => { throw new Error('not now') } }`,
    )
    const running = await start({ HANDLERS: module })
    const [good, failing] = [snapshotJson(), snapshotJson({ type: 'payout.failed' })]
    for (const body of [good, good, failing]) expect(await deliver(`${running.url}/webhook`, body)).toBe(200)
    expect(await deliver(`${running.url}/webhook`, good, { secret: 'whsec_another' })).toBe(400)
    const counted = [
      'deliveries_total{route="account",status="200"} 3',
      'deliveries_total{route="account",status="400"} 1',
      'accepted_total{route="account",result="stored"} 2',
      'accepted_total{route="account",result="duplicate"} 1',
      'refusals_total{route="account",reason="signature_mismatch"} 1',
      'handler_duration_seconds_count{type="payment_intent.succeeded",outcome="handled"} 1',
      'handler_duration_seconds_count{type="payout.failed",outcome="retried"} 1',
      'retries_total{type="payout.failed"} 1',
      'created_to_stored_seconds_count 2',
      'stored_to_handled_seconds_count 1',
    ]
    await eventually('all to be counted', async () => {
      const lines = (await (await fetch(`${running.adminUrl}/metrics`)).text()).split('\n')
      const missing = counted.filter((line) => !lines.includes(`stripe_receiver_${line}`))
      return missing.length === 0 && lines.some((line) => /^stripe_receiver_commit_items_count [1-9]/.test(line))
    })
  })

  it('drops the bodies of what settled RETENTION_DAYS ago, and keeps its ids', async () => {
    const [old, young] = [newEntry(), newEntry()]
    const file = join(scratch.path, 'data', 'inbox.db')
    const inbox = await openSqliteInbox(file, 'server')
    await inbox.add(old)
    const [lease] = await inbox.claim({ limit: 1, leaseMs: 1_000 })
    if (lease !== undefined) await inbox.settle(lease, { state: 'handled' })
    await inbox.add({ ...young, state: 'parked' })
    await inbox.close()
    const db = new DatabaseSync(file)
    db.prepare('UPDATE entry SET received_at = ?1, settled_at = ?1 WHERE event_id = ?2').run(
      Date.now() - 3 * 86_400_000,
      old.eventId,
    )
    db.close()
    await start({ RETENTION_DAYS: '1' })
    const command = await openSqliteInbox(join(scratch.path, 'data', 'inbox.db'), 'command')
    await eventually('the old body to go', async () => (await command.get(old.eventId))?.body === null)
    expect((await command.get(old.eventId))?.entry.state).toBe('handled')
    expect((await command.get(young.eventId))?.body).not.toBeNull()
    await command.close()
  })

  it('runs the handlers of both shapes with TWINS=both', async () => {
    const module = join(scratch.path, 'handlers.js')
    const handler = "(_event, ctx) => ctx.log.info('ran')"
    const types = ['payment_intent.succeeded', 'v1.payment_intent.succeeded']
    await writeFile(module, `export const handlers = { ${types.map((type) => `'${type}': ${handler}`).join()} }`)
    const running = await start({ HANDLERS: module, TWINS: 'both' })
    for (const body of Object.values(makeTwins())) expect(await deliver(`${running.url}/webhook`, body)).toBe(200)
    await eventually('both to be handled', () => logged(running, 'event handled').length === 2)
    expect(logged(running, 'ran')).toHaveLength(2)
  })

  it('runs one handler, never two at once, of a change whose twins name their object differently', async () => {
    const module = join(scratch.path, 'handlers.js')
    const handler = "async (_event, ctx) => { ctx.log.info('ran'); while (!existsSync('release')) await delay(5) }"
    const types = ['customer.discount.created', 'v1.customer.discount.created']
    await writeFile(
      module,
      `import { existsSync } from 'node:fs'
       import { setTimeout as delay } from 'node:timers/promises'
       export const handlers = { ${types.map((type) => `'${type}': ${handler}`).join()} }`,
    )
    const running = await start({ HANDLERS: module })
    const [type, thinType] = types
    const snapshot = snapshotJson({ type, data: { object: { id: 'di_1', object: 'discount', customer: 'cus_1' } } })
    const related_object = { type: 'discount', url: '/v1/customers/cus_1/discount' }
    const thin = thinJson({ type: thinType, snapshot_event: JSON.parse(snapshot).id, related_object })
    for (const body of [thin, snapshot]) expect(await deliver(`${running.url}/webhook`, body)).toBe(200)
    await eventually('one to run', () => logged(running, 'ran').length > 0)
    await writeFile(join(scratch.path, 'release'), '')
    await eventually('both to be handled', () => logged(running, 'event handled').length === 2)
    expect(logged(running, 'ran')).toHaveLength(1)
  })

  it.each([
    ['thin', [null, 'built-in handler']],
    ['snapshot', [null, 'its twin']],
  ])(
    'runs an own handler beside the built-in one of its twin, when the %s event comes first',
    async (first, reasons) => {
      const module = join(scratch.path, 'handlers.js')
      await writeFile(
        module,
        `import { handlerMap } from ${JSON.stringify(new URL('../../src/handlers/built-in/map.ts', import.meta.url).href)}
       export const handlers = { ...handlerMap, 'payout.failed': (_event, ctx) => ctx.log.info('mine ran') }`,
      )
      const running = await start({ HANDLERS: module })
      const snapshot = snapshotJson({ type: 'payout.failed', data: { object: { id: 'po_1', object: 'payout' } } })
      const related_object = { id: 'po_1', type: 'payout', url: '/v1/payouts/po_1' }
      const thin = thinJson({ type: 'v1.payout.failed', snapshot_event: JSON.parse(snapshot).id, related_object })
      for (const [index, body] of (first === 'thin' ? [thin, snapshot] : [snapshot, thin]).entries()) {
        expect(await deliver(`${running.url}/webhook`, body)).toBe(200)
        await eventually('it to be handled', () => logged(running, 'event handled').length === index + 1)
      }
      expect(logged(running, 'mine ran')).toHaveLength(1)
      const inbox = await openSqliteInbox(join(scratch.path, 'data', 'inbox.db'), 'command')
      const [own, builtIn] = await Promise.all([snapshot, thin].map((body) => inbox.get(JSON.parse(body).id)))
      await inbox.close()
      expect([own?.entry.reason, builtIn?.entry.reason]).toEqual(
        reasons.map((reason) => (reason === null ? null : expect.stringContaining(reason))),
      )
    },
  )

  it('only stores with ROLE=receive, and a later process handles', async () => {
    const receiver = await start({ ROLE: 'receive', HOST: '0.0.0.0', STRIPE_WEBHOOK_SECRETS: 'x', STRIPE_PRICE: 'x' })
    await eventually('what it says last', () => receiver.text().includes('Workbench'))
    expect(logged(receiver, 'listening')).toMatchObject([{ address: `0.0.0.0:${new URL(receiver.url).port}` }])
    expect(receiver.lines().filter(({ level }) => level === 40)).toMatchObject([
      { variables: ['STRIPE_WEBHOOK_SECRETS: STRIPE_WEBHOOK_SECRET?'] },
      { msg: expect.stringMatching(/^ROLE=receive on a file handles nothing until/) },
    ])
    const body = snapshotJson()
    expect(await deliver(`${receiver.url}/webhook`, body)).toBe(200)
    receiver.kill('SIGTERM')
    await receiver.exited
    expect(logged(receiver, 'event handled')).toEqual([])
    const worker = await start({ ROLE: 'work' })
    await eventually('the event to be handled', () => logged(worker, 'event handled').length === 1)
    expect(await deliver(`${worker.url}/webhook`, body)).toBe(404)
    expect((await fetch(`${worker.url}/readyz`)).status).toBe(200)
    expect(worker.text()).not.toMatch(/--forward-to|\/webhook"/)
  })
})

describe('the server does not start', () => {
  let scratch: Scratch
  beforeAll(async () => {
    scratch = await makeScratch()
  })
  afterAll(() => scratch.remove())

  it('without a secret, and says how to get one', async () => {
    const { code, text } = await startInVain({ folder: scratch.path, env: { STRIPE_WEBHOOK_SECRET: '' } })
    expect(code).toBe(1)
    expect(text).toContain('STRIPE_WEBHOOK_SECRET is not set')
    expect(text).toContain('stripe listen --print-secret')
    expect(text).toContain('Workbench')
  })

  it('with bad variables, and tells all of them at once', async () => {
    const { code, text } = await startInVain({
      folder: scratch.path,
      env: {
        PORT: '80x',
        ROLE: 'boss',
        STRIPE_MODE: 'live',
        STRIPE_API_KEY: 'sk_test_51abcdefgh',
      },
    })
    expect(code).toBe(1)
    for (const name of ['PORT', 'ROLE', 'STRIPE_API_KEY']) expect(text).toContain(name)
    expect(text).not.toContain('sk_test_51abcdefgh')
  })

  it.each([
    [
      'with a value of the wrong form, and shows one of the right',
      { STRIPE_API_KEY: 'nokey' },
      /such as sk_test_… or rk_live_…/,
    ],
    [
      'on a host that is not this machine, and says what to set',
      { HOST: '192.0.2.1' },
      /EADDRNOTAVAIL.*Set HOST to an/,
    ],
  ])('%s', async (_what, env, told) => {
    const { code, text } = await startInVain({ folder: scratch.path, env })
    expect(code).toBe(1)
    expect(text).toMatch(told)
  })

  // Elsewhere root can make a folder wherever there is none.
  it.runIf(process.platform === 'linux')('in a folder that cannot be made', async () => {
    const env = { DATABASE_URL: 'file:/proc/none/inbox.db' }
    const { code, text } = await startInVain({ folder: scratch.path, env })
    expect(code).toBe(1)
    expect(text).toMatch(/\/proc\/none.*ENOENT.*Check the path/)
  })

  it('when .env is there and cannot be read', async () => {
    await mkdir(join(scratch.path, '.env'))
    const { code, text } = await startInVain({ folder: scratch.path })
    await rmdir(join(scratch.path, '.env'))
    expect(code).toBe(1)
    expect(text).toMatch(/^The file \.env is there and cannot be read: EISDIR/)
  })

  it('when HANDLERS names no file', async () => {
    const { code, text } = await startInVain({ folder: scratch.path, env: { HANDLERS: './none.js' } })
    expect(code).toBe(1)
    expect(text).toMatch(/^HANDLERS must name a file, but .*none\.js does not exist/m)
  })
})

describe('stopping', () => {
  let server: ScriptedServer
  beforeEach(async () => {
    server = await startScripted()
  })
  afterEach(() => server.remove())

  const STOPPING = 'stopping; a second signal, a second later, exits at once'

  /** Resolves once a handler runs; it ends once it is let go. */
  async function runHandler(): Promise<{ letGo(): Promise<void> }> {
    const gate = join(server.folder, 'gate')
    expect(await deliver(`${server.url}/webhook`, scriptedJson({ gate }, { id: 'evt_runs' }))).toBe(200)
    await eventually('the handler to start', () => server.recorded().length === 1)
    return { letGo: () => writeFile(`${gate}.1`, '') }
  }

  async function signal(name: NodeJS.Signals): Promise<void> {
    server.kill(name)
    await eventually('the server to hear it', () => logged(server, STOPPING).length === 1)
  }

  // Under npm, Ctrl-C comes twice.
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'at %s, and another at once, it finishes what runs, and exits 0',
    async (name) => {
      const { letGo } = await runHandler()
      await signal(name)
      server.kill('SIGINT')
      expect((await fetch(`${server.url}/readyz`)).status).toBe(503)
      await letGo()
      expect(await server.exited).toEqual({ code: 0, signal: null })
      expect(logged(server, 'event handled')).toHaveLength(1)
    },
  )

  it('exits at once at a second signal, a second later', async () => {
    await runHandler()
    await signal('SIGTERM')
    let isOver = false
    void server.exited.then(() => {
      isOver = true
    })
    await eventually('the end', () => {
      server.kill('SIGTERM')
      return isOver
    })
    expect(await server.exited).toEqual({ code: 1, signal: null })
  })
})
