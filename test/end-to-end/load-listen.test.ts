import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { connect as connectPlain } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { App } from '../../src/http/app.ts'
import { type HttpServer, listen } from '../../src/http/listen.ts'
import { eventually } from '../support/eventually.ts'
import { openRaw, type RawConnection, rawRequest } from '../support/raw-http.ts'

const ADDRESS = { host: '127.0.0.1', port: 0, variable: 'PORT' }

function makeApp(answer: (res: ServerResponse, req: IncomingMessage) => void): App {
  const onClientError: App['onClientError'] = (_error, socket) => void socket.destroy()
  return Object.assign<RequestListener, Pick<App, 'onClientError'>>((req, res) => answer(res, req), { onClientError })
}

let server: HttpServer
const connections: RawConnection[] = []
beforeEach(async () => {
  server = await listen(
    makeApp((res) => void res.end('answered')),
    ADDRESS,
  )
})
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.destroy()
  await server.close(0)
})

const request = rawRequest('', { method: 'GET', path: '/' })
const unfinishedRequest = rawRequest('body', { path: '/' }).subarray(0, -1)

/** In place of the server of each test. */
async function listenAnew(app: App, maxConnections?: number): Promise<void> {
  await server.close(0)
  server = await listen(app, ADDRESS, maxConnections)
}

async function connect(): Promise<RawConnection> {
  const connection = await openRaw(Number(new URL(server.url).port))
  connections.push(connection)
  return connection
}

describe('listen', () => {
  it('bounds what a client may cost before it has proven anything', async () => {
    const channel = 'http.server.request.start'
    const seen = Promise.withResolvers<Server>()
    // The channel's message has this form. nodejs.org/api/diagnostics_channel.html#http
    const onStart = (message: unknown) => seen.resolve((message as { server: Server }).server)
    subscribe(channel, onStart)
    await fetch(server.url)
    unsubscribe(channel, onStart)
    const { headersTimeout, requestTimeout, keepAliveTimeout, maxConnections } = await seen.promise
    expect(headersTimeout).toBe(10_000)
    expect(requestTimeout).toBe(20_000)
    expect(keepAliveTimeout).toBeGreaterThan(60_000)
    expect(maxConnections).toBe(4_096 + 96)
  })

  it('lets a new connection take the place of the oldest that is idle, and of none that is answered', async () => {
    const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const app = makeApp((res) => {
      asked.resolve()
      void gate.promise.then(() => res.end('late'))
    })
    await listenAnew(app, 3)
    const [busy, idle, younger] = [await connect(), await connect(), await connect()]
    busy.send(request)
    await asked.promise
    const fourth = await connect()
    expect(await idle.ended).toMatch(/closed|ECONNRESET/)
    gate.resolve()
    for (const connection of [busy, fourth, younger]) {
      if (connection !== busy) connection.send(request)
      expect(await connection.answer()).toMatchObject({ status: 200, body: 'late' })
    }
  })

  it('lets it take the place of one whose body does not come, before that of one whose request is yet to come', async () => {
    let asked = 0
    const app = makeApp((res, req) => {
      asked += 1
      req.resume().once('end', () => res.end('whole'))
    })
    await listenAnew(app, 3)
    const stalling = [await connect(), await connect(), await connect()]
    for (const connection of stalling) connection.send(unfinishedRequest)
    await eventually('their heads to come', () => asked === 3)
    const newcomers = [await connect(), await connect()]
    const ended = () => stalling.filter((connection) => connection.ending() !== undefined)
    await eventually('two to give way', () => ended().length === 2)
    for (const connection of newcomers) {
      connection.send(request)
      expect(await connection.answer()).toMatchObject({ status: 200, body: 'whole' })
    }
  })

  it('lets one that was used since stay longer than one that was not', async () => {
    await listenAnew(
      makeApp((res) => void res.end('answered')),
      2,
    )
    const [used, unused] = [await connect(), await connect()]
    used.send(request)
    expect(await used.answer()).toMatchObject({ status: 200 })
    await connect()
    expect(await unused.ended).toMatch(/closed|ECONNRESET/)
    used.send(request)
    expect(await used.answer()).toMatchObject({ status: 200 })
  })

  it('lets one that does not take its answer give way', async () => {
    const cut = Promise.withResolvers<void>()
    const answered = Promise.withResolvers<void>()
    const app = makeApp((res) => {
      res.once('close', () => cut.resolve())
      res.end(Buffer.alloc(64 * 1024 * 1024))
      answered.resolve()
    })
    await listenAnew(app, 1)
    const deaf = connectPlain(Number(new URL(server.url).port), '127.0.0.1').pause()
    deaf.on('error', () => undefined)
    await once(deaf, 'connect')
    deaf.write(request)
    await answered.promise
    await connect()
    await cut.promise
    deaf.destroy()
  })

  it('answers 16 requests that a connection sends at once, and ends one that sends more', async () => {
    const gate = Promise.withResolvers<void>()
    let asked = 0
    const app = makeApp((res) => {
      asked += 1
      void gate.promise.then(() => res.end('late'))
    })
    await listenAnew(app)
    const [many, tooMany] = [await connect(), await connect()]
    tooMany.send(Buffer.concat(Array.from({ length: 1_000 }, () => request)))
    expect(await tooMany.ended).toMatch(/closed|ECONNRESET/)
    expect(asked).toBe(16)
    many.send(Buffer.concat(Array.from({ length: 16 }, () => request)))
    await eventually('all to be asked', () => asked === 32)
    gate.resolve()
    for (let count = 0; count < 16; count += 1) expect(await many.answer()).toMatchObject({ status: 200 })
    many.send(request)
    expect(await many.answer()).toMatchObject({ status: 200 })
  })
})

describe('close', () => {
  it('answers what comes on open connections, takes no new ones, and resolves when the last has ended', async () => {
    const [fresh, other] = [await connect(), await connect()]
    const closed = server.close(60_000)
    fresh.send(request)
    expect(await fresh.answer()).toMatchObject({ status: 200, body: 'answered', isLast: true })
    await expect(connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    other.send(request)
    expect(await other.answer()).toMatchObject({ status: 200 })
    await closed
  })

  it('resets no connection that waits to be accepted', async () => {
    const burst = Array.from({ length: 100 }, connect)
    const closed = server.close(60_000)
    for (const connection of await Promise.all(burst)) {
      connection.send(request)
      expect(await connection.answer()).toMatchObject({ status: 200 })
    }
    await closed
  })

  it('ends by force what says nothing until its time is over', async () => {
    const silent = await connect()
    await server.close(50)
    expect(await silent.ended).toBe('closed')
  })

  it('may be repeated', async () => {
    await Promise.all([server.close(50), server.close(0)])
    await server.close(50)
  })
})
