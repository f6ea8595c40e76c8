import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { lookUpGuarded } from '../../src/targets/guarded-lookup.ts'
import type { LoadedTarget } from '../../src/targets/load.ts'
import { createSender } from '../../src/targets/send.ts'
import { loadedTarget } from '../support/loaded-target.ts'

/** `localhost` alone, of an authority that nobody else knows; good for a hundred years. */
const read = (name: string) => readFile(new URL(`../fixtures/tls/${name}.pem`, import.meta.url), 'utf8')

describe('a target behind TLS', () => {
  beforeEach(() => vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0'))
  afterEach(() => void vi.unstubAllEnvs())

  async function start(): Promise<number> {
    const server = createServer({ key: await read('key'), cert: await read('cert') }, (request, response) => {
      request.resume().on('end', () => response.end())
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => void server.close())
    return (server.address() as AddressInfo).port
  }
  function send(target: Partial<LoadedTarget>) {
    const sender = createSender(loadedTarget(target), {})
    onTestFinished(() => sender.close())
    return sender.send({ headers: {}, body: Buffer.from('{}'), signal: new AbortController().signal })
  }

  it('is reached by the authority of its `ca`, and by no other', async () => {
    const port = await start()
    const url = new URL(`https://localhost:${port}/`)
    expect(await send({ url, ca: await read('ca') })).toMatchObject({ status: 200 })
    expect(await send({ url })).toMatchObject({ status: null, error: expect.stringMatching(/^no answer: UNABLE_TO/) })
  })

  it('must be the one that its certificate names', async () => {
    const url = new URL(`https://127.0.0.1:${await start()}/`)
    const sent = await send({ url, ca: await read('ca') })
    expect(sent).toMatchObject({ status: null, error: 'no answer: ERR_TLS_CERT_ALTNAME_INVALID' })
  })
})

describe('a name', () => {
  type Look = Parameters<typeof lookUpGuarded>[0]
  /** A `lookup` of the system that finds these. */
  const finding = (...addresses: string[]) =>
    ((_host: string, _options: object, done: (error: null, found: object[]) => void) =>
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )) as Look
  const look = (addresses: string[], all: boolean) =>
    new Promise((resolve) => {
      lookUpGuarded(finding(...addresses), 'shop.internal', { all }, (error, address) => resolve(error ?? address))
    })

  it('that leads to a link-local address is refused, whatever else it leads to', async () => {
    for (const all of [true, false]) {
      const refused = await look(['10.0.0.7', '::ffff:169.254.169.254'], all)
      expect(refused).toMatchObject({ name: 'RefusedAddress', message: expect.stringContaining('shop.internal') })
    }
  })

  it('that leads elsewhere is looked up as ever', async () => {
    expect(await look(['10.0.0.7', 'fd00::7'], true)).toMatchObject([{ address: '10.0.0.7' }, { address: 'fd00::7' }])
    expect(await look(['10.0.0.7'], false)).toBe('10.0.0.7')
  })
})
