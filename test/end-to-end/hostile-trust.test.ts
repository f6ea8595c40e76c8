import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deliver } from '../support/deliver.ts'
import { eventually } from '../support/eventually.ts'
import { type ScriptedServer, scriptedJson, startScripted } from '../support/scripted-server.ts'
import { CONNECT_SECRET, SECRET } from '../support/sign.ts'

let server: ScriptedServer
beforeAll(async () => {
  server = await startScripted()
})
afterAll(() => server.remove())

const post = (body: string, path = '/webhook', secret = SECRET, headers: Record<string, string> = {}) =>
  deliver(`${server.url}${path}`, body, { secret, headers })
const counts = () => server.withInbox((inbox) => inbox.counts())
const HEADERS = ['Idempotency-Key', 'X-Idempotency-Key', 'X-Request-Id', 'Request-Id', 'Stripe-Event-Id', 'Webhook-Id']

describe('what nobody signed', () => {
  it('neither tells events apart nor makes them one: no header is taken for an id', async () => {
    const ids: string[] = []
    for (const name of HEADERS) {
      const [one, other] = [`evt_one_${name}`, `evt_other_${name}`]
      ids.push(one, other)
      expect(await post(scriptedJson({}, { id: one }), '/webhook', SECRET, { [name]: 'same' })).toBe(200)
      expect(await post(scriptedJson({}, { id: other }), '/webhook', SECRET, { [name]: 'same' })).toBe(200)
      expect(await post(scriptedJson({}, { id: one }), '/webhook', SECRET, { [name]: 'another' })).toBe(200)
    }
    await eventually('all to be handled', async () => (await counts()).handled === ids.length)
    const ran = server.recorded().filter(({ what }) => what === 'start')
    expect(ran.map(({ eventId }) => eventId).sort()).toEqual(ids.sort())
  })

  it('does not choose the secret: only the route does, whatever account or mode the body names', async () => {
    const before = await counts()
    for (const fields of [{}, { account: 'acct_1' }, { account: 'acct_1', livemode: true }, { context: 'acct_1' }]) {
      const body = scriptedJson({}, { id: 'evt_chooses', ...fields })
      const hints = { 'Stripe-Account': 'acct_1', 'X-Secret': 'connect' }
      expect(await post(body, '/webhook', CONNECT_SECRET, hints)).toBe(400)
      expect(await post(body, '/webhook?route=connect&account=acct_1', CONNECT_SECRET, hints)).toBe(400)
      expect(await post(body, '/webhook/connect', SECRET, hints)).toBe(400)
    }
    expect(await counts()).toEqual(before)
  })
})

describe('the admin port', () => {
  // Other systems tell of their sockets in other ways.
  it.runIf(process.platform === 'linux')('is open to this machine alone unless told otherwise', () => {
    expect(findListenAddresses(Number(new URL(server.adminUrl).port))).toEqual(['0100007F'])
  })

  it('has nothing that changes anything', async () => {
    expect(await post(scriptedJson({}, { id: 'evt_admin' }))).toBe(200)
    await eventually('it to be handled', async () => (await server.find('evt_admin')).entry.state === 'handled')
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      for (const path of ['/', '/webhook', '/events', '/events/evt_admin/replay', '/replay', '/metrics', '/readyz']) {
        expect((await fetch(server.adminUrl + path, { method })).status).toBe(404)
      }
    }
    expect((await server.find('evt_admin')).entry).toMatchObject({ state: 'handled', replays: 0 })
  })
})

/** Addresses that a port listens on, as Linux writes them: 0100007F is 127.0.0.1. */
function findListenAddresses(port: number): string[] {
  const sockets = ['tcp', 'tcp6'].flatMap((table) => readFileSync(`/proc/net/${table}`, 'utf8').split('\n'))
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0')
  const LISTEN = '0A'
  return sockets.flatMap((socket) => {
    const [, local = '', , state] = socket.trim().split(/\s+/)
    const [address = '', ofPort] = local.split(':')
    return state === LISTEN && ofPort === hexPort ? [address] : []
  })
}
