import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { RequestListener, Server, ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { App } from '../../src/http/app.ts'
import { type HttpServer, listen } from '../../src/http/listen.ts'
import { openRaw, type RawConnection, rawRequest } from '../support/raw-http.ts'

const ADDRESS = { host: '127.0.0.1', port: 0, variable: 'PORT' }

function makeApp(answer: (res: ServerResponse) => void): App {
  const onClientError: App['onClientError'] = (_error, socket) => void socket.destroy()
  return Object.assign<RequestListener, Pick<App, 'onClientError'>>((_req, res) => answer(res), { onClientError })
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
    await server.close(0)
    const app = makeApp((res) => {
      asked.resolve()
      void gate.promise.then(() => res.end('late'))
    })
    server = await listen(app, ADDRESS, 3)
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
