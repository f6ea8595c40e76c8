import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { judgeAnswer } from '../../src/targets/judge-answer.ts'
import type { LoadedTarget } from '../../src/targets/load.ts'
import { createRate } from '../../src/targets/rate.ts'
import { createSender, readRetryAfter } from '../../src/targets/send.ts'
import { signBody } from '../../src/targets/sign.ts'
import { eventually } from '../support/eventually.ts'
import { loadedTarget } from '../support/loaded-target.ts'
import { startTargetServer, status } from '../support/target-server.ts'

const never = new AbortController().signal

function send(target: Partial<LoadedTarget>, signal = never, proxyEnv = {}) {
  const sender = createSender(loadedTarget(target), proxyEnv)
  onTestFinished(() => sender.close())
  return sender.send({ headers: { 'X-One': '1' }, body: Buffer.from('{"id":"evt_1"}'), signal })
}

/** Answers nothing: what it does with a connection is given. */
async function startRaw(onConnection: Parameters<typeof createServer>[1]): Promise<URL> {
  const server = createServer(onConnection).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
}

describe('a sender', () => {
  it.each(['http://user:s3cret@10.0.0.1:99999', 'proxy.internal:3128', 'socks5://10.0.0.1:1080'])(
    'is not made with a proxy that is none, whose URL is not told (%#)',
    (proxy) => {
      const make = () => createSender(loadedTarget(), { HTTPS_PROXY: proxy })
      expect(make).toThrow(/^HTTPS_PROXY: expected the URL of a proxy, such as/)
      expect(make).not.toThrow(/s3cret|10\.0\.0\.1|internal/)
    },
  )
})

describe('sending', () => {
  it('posts the exact bytes to the whole URL', async () => {
    const server = await startTargetServer(status(204))
    expect(await send({ url: server.url })).toEqual({ status: 204, retryAfterMs: null, answer: null, error: null })
    expect(server.received[0]).toMatchObject({ headers: { 'x-one': '1', host: server.url.host } })
    expect(server.received[0]?.body.toString()).toBe('{"id":"evt_1"}')
  })

  it('follows no redirect', async () => {
    const other = await startTargetServer()
    const server = await startTargetServer(status(307, { Location: other.url.href }))
    expect(await send({ url: server.url })).toMatchObject({ status: 307 })
    expect(other.received).toEqual([])
  })

  it('keeps the first KB of a failed answer, and nothing of another', async () => {
    const server = await startTargetServer(status(500, {}, 'x'.repeat(1_000_000)))
    const sent = await send({ url: server.url })
    expect(sent).toMatchObject({ status: 500, error: null })
    expect(sent.answer).toBe('x'.repeat(1_024))
    server.answer(status(200, {}, 'y'.repeat(1_000)))
    expect(await send({ url: server.url })).toMatchObject({ status: 200, answer: null })
  })

  it.each(['stripe', 'standard'] as const)('keeps no signature of its own that an answer repeats: %s', async (sign) => {
    const body = Buffer.from('{"id":"evt_1"}')
    const secrets = [`whsec_${randomBytes(24).toString('base64')}`, `whsec_${randomBytes(24).toString('base64')}`]
    const headers = signBody({ sign, secrets }, { eventId: 'evt_1', body, at: new Date() })
    const macs = Object.values(headers).flatMap((value) => value.match(/[\da-f]{64}|(?<=v1,)\S+/g) ?? [])
    expect(macs).toHaveLength(2)
    const server = await startTargetServer((response, received) => {
      const echo = JSON.stringify(received.headers)
      // The last one stands where the first KB ends.
      const told = `${echo.replaceAll('/', '\\/')} ${echo.replaceAll('=', '\\u003d')}`.padEnd(900)
      response.writeHead(500).end(told + echo)
    })
    const sender = createSender(loadedTarget({ url: server.url, secrets }), {})
    onTestFinished(() => sender.close())
    const { answer } = await sender.send({ headers, body, signal: never })
    expect(answer).toContain('[redacted]')
    for (const mac of macs) expect(answer).not.toContain(mac.slice(0, 20))
  })

  it('waits for an answer that is late, within the time limit', async () => {
    const late = await startTargetServer((response) => void setTimeout(() => response.writeHead(200).end(), 100))
    expect(await send({ url: late.url })).toMatchObject({ status: 200, error: null })
  })

  it('waits for no more than 64 KB of an answer', async () => {
    const endless = await startTargetServer((response) => {
      response.writeHead(200)
      const more = () => void (response.destroyed || response.write('x'.repeat(65_536), () => setImmediate(more)))
      more()
    })
    expect(await send({ url: endless.url })).toEqual({ status: 200, retryAfterMs: null, answer: null, error: null })
    await eventually('its connection to go', () => endless.open() === 0)
  })

  const tooLate = { status: null, retryAfterMs: null, answer: null, error: 'no answer within 150 ms (timeoutMs)' }

  it('gives up at the time limit, wherever it hangs', async () => {
    const hangs = await startTargetServer(() => undefined)
    expect(await send({ url: hangs.url, timeoutMs: 150 })).toEqual(tooLate)
    const silent = await startRaw((socket) => socket.resume())
    const secure = new URL(`https://127.0.0.1:${silent.port}/`)
    expect(await send({ url: secure, timeoutMs: 150 })).toEqual(tooLate)
    const proxied = { url: new URL('https://shop.invalid/'), timeoutMs: 150 }
    expect(await send(proxied, never, { HTTPS_PROXY: silent.origin })).toEqual(tooLate)
    const busy = await startRaw((socket) => {
      const more = () =>
        void (socket.destroyed || socket.write('HTTP/1.1 102 Processing\r\n\r\n', () => setImmediate(more)))
      socket.on('data', more).on('error', () => undefined)
    })
    expect(await send({ url: busy, timeoutMs: 150 })).toEqual(tooLate)
  })

  it('gives up at the time limit while it waits for a connection', async () => {
    const hangs = await startTargetServer(() => undefined)
    const sender = createSender(loadedTarget({ url: hangs.url, timeoutMs: 150, concurrency: 1 }), {})
    onTestFinished(() => sender.close())
    const asked = { headers: {}, body: Buffer.from('{}'), signal: never }
    expect(await Promise.all([sender.send(asked), sender.send(asked), sender.send(asked)])).toEqual([
      tooLate,
      tooLate,
      tooLate,
    ])
    hangs.answer(status(200))
    await eventually('it to go on', async () => (await sender.send(asked)).status === 200)
  })

  it('takes a switch of protocols for an answer that is no success, and lets the connection go', async () => {
    const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n'
    let isOver = false
    const switching = await startRaw((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.write(head))
      socket.on('close', () => {
        isOver = true
      })
    })
    expect(await send({ url: switching })).toEqual({ status: 101, retryAfterMs: null, answer: '', error: null })
    await eventually('its connection to go', () => isOver)
  })

  it('goes by the status, whether or not the body ends', async () => {
    const server = await startTargetServer()
    for (const [code, answer] of [
      [200, null],
      [500, 'x'],
    ] as const) {
      server.answer((response) => void response.writeHead(code, { 'Content-Length': 10 }).write('x'))
      // Its beginning may come too late on a busy machine.
      await eventually(`the ${code}`, async () => {
        const sent = await send({ url: server.url, timeoutMs: 150 })
        return sent.status === code && sent.answer === answer && sent.error === null
      })
      server.answer((response) => {
        response.writeHead(code, { 'Content-Length': 10 })
        response.write('x', () => response.destroy())
      })
      expect(await send({ url: server.url })).toMatchObject({ status: code, error: null })
    }
  })

  it('tells a reset, a refused connection and an answer that is no HTTP apart', async () => {
    const reset = await startRaw((socket) => socket.on('data', () => socket.resetAndDestroy()))
    expect(await send({ url: reset })).toMatchObject({ status: null, error: 'no answer: ECONNRESET' })
    expect(await send({ url: new URL('http://127.0.0.1:1/') })).toMatchObject({ error: 'no answer: ECONNREFUSED' })
    const rubbish = await startRaw((socket) => socket.on('data', () => socket.end('hello\r\n\r\n')))
    expect(await send({ url: rubbish })).toMatchObject({ error: expect.stringMatching(/^no answer: HPE_/) })
  })

  it('is cut off by the stop', async () => {
    const hangs = await startTargetServer(() => undefined)
    const stopping = new AbortController()
    const sending = send({ url: hangs.url }, stopping.signal)
    stopping.abort(new Error('stopped'))
    await expect(sending).rejects.toThrow('stopped')
  })

  it.each(['http://169.254.169.254/', 'http://[fe80::1]/', 'http://[::ffff:a9fe:a9fe]/'])('refuses %s', async (url) => {
    expect(await send({ url: new URL(url) })).toMatchObject({ error: expect.stringContaining('link-local') })
  })

  it('goes through the proxy that the environment names', async () => {
    const proxy = await startTargetServer(status(200))
    const url = new URL('http://shop.invalid/stripe')
    expect(await send({ url }, never, { HTTP_PROXY: proxy.url.origin })).toMatchObject({ status: 200 })
    expect(proxy.received[0]?.headers.host).toBe('shop.invalid')
    const past = await send({ url }, never, { HTTP_PROXY: proxy.url.origin, NO_PROXY: 'shop.invalid' })
    expect(past.status).toBeNull()
    expect(proxy.received).toHaveLength(1)
  })
})

describe('an answer', () => {
  const judge = (code: number, { retryAfterMs = null as number | null, attempt = 1, final = [] as number[] } = {}) =>
    judgeAnswer(
      { status: code, retryAfterMs, answer: 'no', error: null },
      { target: { final }, attempt, maxAttempts: 20, random: () => 0.5 },
    )

  it('of 2xx is delivered, and all else is sent again as handlers run again', () => {
    for (const code of [200, 201, 204, 299])
      expect(judge(code)).toEqual({ state: 'delivered', status: code, answer: null })
    for (const code of [302, 400, 401, 404, 500])
      expect(judge(code)).toEqual({
        state: 'pending',
        retryInMs: 10_000,
        status: code,
        answer: 'no',
        error: `answered ${code}`,
      })
    expect(judge(500, { attempt: 3 })).toMatchObject({ retryInMs: 90_000 })
    expect(judge(500, { attempt: 20 })).toMatchObject({ state: 'dead' })
  })

  it('of a final status is dead at once', () => {
    expect(judge(422, { final: [422] })).toMatchObject({ state: 'dead', error: 'answered 422' })
    expect(judge(400, { final: [422] })).toMatchObject({ state: 'pending' })
  })

  it('of 429 or 503 that names a time is not sent again before', () => {
    expect(judge(429, { retryAfterMs: 60_000 })).toMatchObject({ retryInMs: 60_000 })
    expect(judge(503, { retryAfterMs: 1_000 })).toMatchObject({ retryInMs: 10_000 })
    expect(judge(500, { retryAfterMs: 60_000 })).toMatchObject({ retryInMs: 10_000 })
  })

  it('names its time in seconds or as a date, six hours at most', () => {
    const now = Date.parse('2026-11-21T10:00:00Z')
    expect(readRetryAfter('120', now)).toBe(120_000)
    expect(readRetryAfter('Sat, 21 Nov 2026 10:01:00 GMT', now)).toBe(60_000)
    expect(readRetryAfter('Sat, 21 Nov 2026 09:00:00 GMT', now)).toBe(0)
    expect(readRetryAfter('999999', now)).toBe(6 * 3_600_000)
    expect([readRetryAfter('99999999999', now), readRetryAfter('0.5', now)]).toEqual([6 * 3_600_000, 500])
    expect([readRetryAfter('soon', now), readRetryAfter(undefined, now)]).toEqual([null, null])
  })
})

describe('a rate', () => {
  it('lets a tenth of a second begin at once, and the rest spread over it', () => {
    const rate = createRate(50)
    expect(rate.room(0)).toBe(5)
    rate.take(5)
    expect([rate.room(0), rate.waitMs(0)]).toEqual([0, 20])
    expect(rate.room(40)).toBe(2)
    expect(rate.room(10_000)).toBe(5)
  })

  it('of one a second lets one begin, and of none has no limit', () => {
    const rate = createRate(1)
    rate.take(rate.room(0))
    expect([rate.room(999), rate.room(1_000)]).toEqual([0, 1])
    expect(createRate(undefined).room(0)).toBe(Infinity)
  })
})
