import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openSqliteInbox } from '../../src/inbox/sqlite/inbox.ts'
import { deliver } from '../support/deliver.ts'
import { eventually } from '../support/eventually.ts'
import { newEntry } from '../support/new-entry.ts'
import { makeScratch } from '../support/scratch.ts'
import { CONNECT_SECRET, snapshotJson, thinJson } from '../support/sign.ts'
import { type ServerProcess, spawnServer, startInVain } from '../support/spawn-server.ts'

let scratch: Awaited<ReturnType<typeof makeScratch>>
let server: ServerProcess | undefined
beforeEach(async () => {
  scratch = await makeScratch()
})
afterEach(async () => {
  vi.useRealTimers()
  server?.kill('SIGKILL')
  await server?.exited
  server = undefined
  await scratch.remove()
})

async function start(env: Record<string, string> = {}): Promise<ServerProcess> {
  server = await spawnServer({ folder: scratch.path, env })
  return server
}

const logged = (running: ServerProcess, msg: string) => running.lines().filter((line) => line.msg === msg)

describe('the server as a process', () => {
  it('says where it listens and how to send it events, and keeps its file for the owner', async () => {
    const running = await start()
    await eventually('what it says last', () => running.text().includes('Workbench'))
    expect(running.text()).toContain(`stripe listen --all-snapshot --forward-to ${running.url}/webhook`)
    expect(existsSync(join(scratch.path, 'data', 'inbox.db'))).toBe(true)
    for (const base of [running.url, running.adminUrl])
      for (const path of ['healthz', 'readyz']) expect((await fetch(`${base}/${path}`)).status).toBe(200)
    expect((await fetch(`${running.adminUrl}/metrics`)).status).toBe(200)
    expect((await fetch(`${running.url}/metrics`)).status).toBe(404)
  })

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

  it('accepts, stores and settles every captured event, on both routes', async () => {
    const running = await start()
    const folder = new URL('../fixtures/payloads/', import.meta.url)
    const captured = readdirSync(folder).map((name) => {
      const body = readFileSync(new URL(name, folder), 'utf8')
      return { name, body: body.replaceAll(JSON.parse(body).id, `evt_${name}`), type: String(JSON.parse(body).type) }
    })
    for (const { body } of captured) expect(await deliver(`${running.url}/webhook`, body)).toBe(200)
    const connected = snapshotJson({ account: 'acct_1', type: 'account.updated' })
    expect(await deliver(`${running.url}/webhook/connect`, connected, { secret: CONNECT_SECRET })).toBe(200)
    expect(
      await deliver(`${running.url}/webhook/connect`, thinJson({ context: 'acct_1' }), { secret: CONNECT_SECRET }),
    ).toBe(200)

    const settled = () => [
      ...logged(running, 'event handled'),
      ...logged(running, 'event unhandled: no handler for its type'),
    ]
    await eventually('all to settle', () => settled().length === captured.length + 2)
    for (const { name, type } of captured) {
      const line = settled().find(({ eventId }) => eventId === `evt_${name}`)
      const hasHandler = ![
        'charge.dispute.closed',
        'payment_intent.payment_failed',
        'payment_intent.canceled',
        'payout.paid',
      ].includes(type)
      expect(line?.msg === 'event handled', name).toBe(hasHandler)
    }
  })

  it('hands events to a module named by HANDLERS, in TypeScript and in JavaScript', async () => {
    for (const extension of ['ts', 'js']) {
      const module = join(scratch.path, `handlers.${extension}`)
      const annotation = extension === 'ts' ? ': { log: { info(text: string): void } }' : ''
      await writeFile(
        module,
        `
        export const handlers = { 'invoice.paid': (event, ctx${annotation}) => ctx.log.info('mine: ' + event.id) }
        export const fallback = (event, ctx) => ctx.log.info('fallback: ' + event.type + ' ' + ctx.known)`,
      )
      const running = await start({ HANDLERS: module })
      const [paid, odd] = [snapshotJson({ type: 'invoice.paid' }), snapshotJson({ type: 'constructor' })]
      expect(await deliver(`${running.url}/webhook`, paid)).toBe(200)
      expect(await deliver(`${running.url}/webhook`, odd)).toBe(200)
      await eventually('both to be handled', () => logged(running, 'event handled').length === 2)
      expect(running.text()).toContain(`mine: ${JSON.parse(paid).id}`)
      expect(running.text()).toContain('fallback: constructor false')
      running.kill('SIGTERM')
      await running.exited
    }
  })

  it.each([
    ['one', 1],
    ['both', 2],
  ])('runs handlers of a change that came in both shapes as TWINS=%s says', async (twins, runs) => {
    const module = join(scratch.path, 'handlers.js')
    const handler = "(_event, ctx) => ctx.log.info('ran')"
    const types = ['payment_intent.succeeded', 'v1.payment_intent.succeeded']
    await writeFile(module, `export const handlers = { ${types.map((type) => `'${type}': ${handler}`).join()} }`)
    const running = await start({ HANDLERS: module, TWINS: twins })
    const snapshot = snapshotJson()
    const { id, data } = JSON.parse(snapshot)
    const thin = thinJson({
      snapshot_event: id,
      related_object: { id: data.object.id, type: 'payment_intent', url: '/v1/x' },
    })
    for (const body of [thin, snapshot]) expect(await deliver(`${running.url}/webhook`, body)).toBe(200)
    await eventually('both to be handled', () => logged(running, 'event handled').length === 2)
    expect(logged(running, 'ran')).toHaveLength(runs)
    const inbox = await openSqliteInbox(join(scratch.path, 'data', 'inbox.db'), 'command')
    const reasons = (await inbox.list({ states: ['handled'] }, { limit: 10 })).map(({ reason }) => reason)
    await inbox.close()
    expect(reasons.filter((reason) => reason?.includes('twin'))).toHaveLength(2 - runs)
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

  it('runs the handler of a change whose twin went to the fallback', async () => {
    const module = join(scratch.path, 'handlers.js')
    await writeFile(
      module,
      `export const handlers = { 'invoice.paid': (_event, ctx) => ctx.log.info('ran') }
       export const fallback = (_event, ctx) => ctx.log.info('fell back')`,
    )
    const running = await start({ HANDLERS: module })
    const snapshot = snapshotJson({ type: 'invoice.paid' })
    const thin = thinJson({ type: 'v1.invoice.paid', snapshot_event: JSON.parse(snapshot).id })
    for (const [index, body] of [thin, snapshot].entries()) {
      expect(await deliver(`${running.url}/webhook`, body)).toBe(200)
      await eventually('it to be handled', () => logged(running, 'event handled').length === index + 1)
    }
    expect(logged(running, 'fell back')).toHaveLength(1)
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

  it.each([
    ['no file', undefined, /does not exist/],
    ['no module', 'export const handlers = {', /failed to load/],
    ['another export', 'export const other = {}', /export const handlers/],
    ['a value that is no function', 'export const handlers = { "payout.failed": 1 }', /a function for each event type/],
  ])('does not start when HANDLERS names %s', async (_what, source, message) => {
    const module = join(scratch.path, 'handlers.js')
    if (source !== undefined) await writeFile(module, source)
    const { code, text } = await startInVain({ folder: scratch.path, env: { HANDLERS: module } })
    expect(code).toBe(1)
    expect(text).toMatch(message)
  })

  it('does not start without a secret, and says how to get one', async () => {
    const { code, text } = await startInVain({ folder: scratch.path, env: { STRIPE_WEBHOOK_SECRET: '' } })
    expect(code).toBe(1)
    expect(text).toContain('STRIPE_WEBHOOK_SECRET is not set')
    expect(text).toContain('stripe listen --print-secret')
    expect(text).toContain('Workbench')
  })

  it('reports every bad variable at once', async () => {
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

  it('does not start on an inbox that another server works on', async () => {
    await start()
    const { code, text } = await startInVain({ folder: scratch.path })
    expect(code).toBe(1)
    expect(text).toContain('Another server is running on the inbox')
  })

  it('does not start on a port that is taken, and says which variable to set', async () => {
    const running = await start()
    const { code, text } = await startInVain({
      folder: scratch.path,
      env: { PORT: new URL(running.url).port, DATABASE_URL: 'file:./other.db' },
    })
    expect(code).toBe(1)
    expect(text).toMatch(/EADDRINUSE.*set PORT/)
  })

  it('only stores with ROLE=receive, and a later process handles', async () => {
    const receiver = await start({ ROLE: 'receive' })
    const body = snapshotJson()
    expect(await deliver(`${receiver.url}/webhook`, body)).toBe(200)
    receiver.kill('SIGTERM')
    await receiver.exited
    expect(logged(receiver, 'event handled')).toEqual([])
    const worker = await start({ ROLE: 'work' })
    await eventually('the event to be handled', () => logged(worker, 'event handled').length === 1)
    expect(await deliver(`${worker.url}/webhook`, body)).toBe(404)
    expect((await fetch(`${worker.url}/readyz`)).status).toBe(200)
  })
})

describe('stopping', () => {
  const slow = `
    import { setTimeout as delay } from 'node:timers/promises'
    export const handlers = { 'payout.failed': async (event, ctx) => {
      ctx.log.info('started')
      await delay(Number(event.data.object.ms), undefined, { signal: ctx.signal })
    } }`

  async function startSlow(ms: number, env: Record<string, string> = {}): Promise<ServerProcess> {
    const module = join(scratch.path, 'slow.js')
    await writeFile(module, slow)
    const running = await start({ HANDLERS: module, ...env })
    await deliver(
      `${running.url}/webhook`,
      snapshotJson({ type: 'payout.failed', data: { object: { id: 'po_1', ms } } }),
    )
    await eventually('the handler to start', () => logged(running, 'started').length === 1)
    return running
  }

  it.each(['SIGTERM', 'SIGINT'] as const)('finishes what runs at %s, and exits 0', async (signal) => {
    const running = await startSlow(300)
    running.kill(signal)
    expect(await running.exited).toEqual({ code: 0, signal: null })
    expect(logged(running, 'event handled')).toHaveLength(1)
  })

  it('answers 503 while it drains', async () => {
    const running = await startSlow(1_000)
    running.kill('SIGTERM')
    await eventually(
      'the drain to begin',
      () => logged(running, 'stopping; a second signal exits at once').length === 1,
    )
    expect(await deliver(`${running.url}/webhook`, snapshotJson())).toBe(503)
    expect((await fetch(`${running.url}/readyz`)).status).toBe(503)
    expect((await running.exited).code).toBe(0)
  })

  it('aborts what runs too long, exits 0 in time, and handles it after the next start', async () => {
    const running = await startSlow(60_000, { SHUTDOWN_TIMEOUT_MS: '600' })
    running.kill('SIGTERM')
    expect((await running.exited).code).toBe(0)
    const inbox = await openSqliteInbox(join(scratch.path, 'data', 'inbox.db'), 'command')
    expect(await inbox.counts()).toMatchObject({ pending: 1, running: 0 })
    await inbox.close()
    const quick = join(scratch.path, 'quick.js')
    await writeFile(quick, "export const handlers = { 'payout.failed': () => {} }")
    const next = await start({ HANDLERS: quick })
    await eventually('it to be handled', () => logged(next, 'event handled').length === 1)
  })

  it('exits at once at a second signal', async () => {
    const running = await startSlow(60_000)
    running.kill('SIGTERM')
    await eventually('the first signal', () => logged(running, 'stopping; a second signal exits at once').length === 1)
    running.kill('SIGTERM')
    expect(await running.exited).toEqual({ code: 1, signal: null })
  })
})
