import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createGuardedLookup, type Look } from '../../src/targets/guarded-lookup.ts'
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
  /** A `lookup` of the system that finds these. */
  const finding =
    (...addresses: string[]): Look =>
    (_host, _options, done) =>
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )
  const lookUp = (addresses: string[], all: boolean) =>
    new Promise((resolve) => {
      const lookup = createGuardedLookup(finding(...addresses))
      lookup('shop.internal', { all }, (error, address) => resolve(error ?? address))
    })

  it('that leads to a link-local address is refused, whatever else it leads to', async () => {
    for (const all of [true, false]) {
      const refused = await lookUp(['10.0.0.7', '::ffff:169.254.169.254'], all)
      expect(refused).toMatchObject({ name: 'RefusedAddress', message: expect.stringContaining('shop.internal') })
    }
  })

  it('that leads elsewhere is looked up as ever', async () => {
    expect(await lookUp(['10.0.0.7', 'fd00::7'], true)).toMatchObject([{ address: '10.0.0.7' }, { address: 'fd00::7' }])
    expect(await lookUp(['10.0.0.7'], false)).toBe('10.0.0.7')
  })
})

describe('look-ups of names', () => {
  /** Each waits until it is told to end; `begun` has their names. */
  function start() {
    const begun: string[] = []
    const ends = new Map<string, () => void>()
    const lookup = createGuardedLookup((hostname, _options, done) => {
      begun.push(hostname)
      ends.set(hostname, () => done(null, [{ address: '10.0.0.7', family: 4 }]))
    })
    const found: string[] = []
    return {
      ...{ begun, found },
      ask: (...names: string[]) => {
        for (const name of names) lookup(name, { all: true }, () => found.push(name))
      },
      /** After it took so long. */
      end(name: string, ms = 5) {
        vi.advanceTimersByTime(ms)
        ends.get(name)?.()
      },
    }
  }
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => void vi.useRealTimers())

  it('are shared by all who ask for the name meanwhile, and made anew after that', () => {
    const { ask, end, begun, found } = start()
    ask('shop', 'shop', 'shop')
    expect(begun).toEqual(['shop'])
    end('shop')
    expect(found).toEqual(['shop', 'shop', 'shop'])
    ask('shop')
    expect(begun).toEqual(['shop', 'shop'])
  })

  it('leave a thread to all else, but for names of this machine', () => {
    const { ask, begun } = start()
    ask('a', 'b', 'c', 'd', 'e', 'localhost', 'shop.localhost')
    expect(begun).toEqual(['a', 'b', 'c', 'localhost', 'shop.localhost'])
  })

  it('that hang each time keep no other name waiting', () => {
    const { ask, end, begun, found } = start()
    const dead = Array.from({ length: 31 }, (_, index) => `dead-${index}`)
    for (const name of dead) {
      ask(name)
      end(name, 10_000)
    }
    found.length = 0
    begun.length = 0
    ask(...dead)
    for (const name of ['well', 'new']) {
      ask(name)
      end(name)
    }
    expect(begun).toEqual(['dead-0', 'dead-1', 'well', 'new'])
    expect(found).toEqual(['well', 'new'])
  })

  it('of names that were slow come after others, each in its turn', () => {
    const { ask, end, begun, found } = start()
    ask('dead', 'b', 'c', 'new')
    end('dead', 10_000)
    expect(begun).toEqual(['dead', 'b', 'c', 'new'])
    ask('dead', 'newer')
    end('b', 0)
    expect(begun.slice(4)).toEqual(['newer'])
    end('c', 0)
    end('new', 0)
    expect(begun.slice(5)).toEqual(['dead'])
    for (const name of ['newer', 'dead']) end(name)
    expect(found).toEqual(['dead', 'b', 'c', 'new', 'newer', 'dead'])
  })
})
