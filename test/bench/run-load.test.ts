import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { runLoad, runSteadyLoad } from './run-load.ts'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** Answers with what the function gives for each delivery, counted from 0; gives what a load needs to know of it. */
async function serve(answer: (index: number, body: string) => number | Promise<number>) {
  let received = 0
  server = createServer(async (request, response) => {
    const index = received
    received += 1
    const body = Buffer.concat(await request.toArray()).toString()
    response.writeHead(await answer(index, body), { 'Content-Length': 0 }).end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  // A listening TCP server's address is of this form.
  const { port } = server.address() as AddressInfo
  return { pid: process.pid, port, received: () => received }
}

const STEADY = { perSecond: 200, connections: 4, warmUpSeconds: 0.1, seconds: 0.4 }

/** An inbox for ids, and nothing else. */
function createIds(from = 0) {
  return { takeIds: () => from }
}

it('sends as many as were planned, however slow the first answer is, and counts its wait', async () => {
  const held = Promise.withResolvers<number>()
  const { received, ...target } = await serve((index) => {
    // The last one lets the first one go: whoever waited for answers would never come to it.
    if (index === 99) held.resolve(200)
    return index === 0 ? held.promise : 200
  })
  const result = await runSteadyLoad(target, createIds(), STEADY)
  expect(received()).toBe(100)
  expect(result).toMatchObject({ answered: 100, refused: 0, perSecond: expect.closeTo(200) })
})

it('counts refusals where they may come, and rejects where not', async () => {
  const { received: _, ...target } = await serve((index) => (index % 4 === 3 ? 503 : 200))
  const result = await runSteadyLoad(target, createIds(), { ...STEADY, mayRefuse: true })
  expect(result).toMatchObject({ answered: 75, refused: 25 })
  await expect(runLoad(target, STEADY)).rejects.toThrow('expected every answer to be 200, got 503')
})

it('goes on with ids that the inbox had not yet', async () => {
  const ids = new Set<string>()
  const { received: _, ...target } = await serve((_index, body) => {
    ids.add(JSON.parse(body).id)
    return 200
  })
  await runSteadyLoad(target, createIds(), STEADY)
  await runSteadyLoad(target, createIds(100), STEADY)
  expect(ids.size).toBe(200)
})
