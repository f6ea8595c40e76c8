import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { post } from '../support/load.ts'
import { makeScratch } from '../support/scratch.ts'
import { snapshotJson } from '../support/sign.ts'
import { type ServerProcess, spawnServer } from '../support/spawn-server.ts'
import { targetAt, writeTargets } from '../support/write-targets.ts'

const HANDLERS = fileURLToPath(new URL('../support/endless-handlers.ts', import.meta.url))
const IMPATIENT = fileURLToPath(new URL('../support/impatient-main.ts', import.meta.url))

let scratch: Awaited<ReturnType<typeof makeScratch>>
let server: ServerProcess
beforeEach(async () => {
  scratch = await makeScratch()
})
afterEach(async () => {
  server.kill('SIGKILL')
  await server.exited
  await scratch.remove()
})

async function start(env: Record<string, string> = {}, main?: string): Promise<void> {
  server = await spawnServer({
    folder: scratch.path,
    env: { HANDLERS, RELEASE_FILE: join(scratch.path, 'release'), ...env },
    ...(main !== undefined && { main }),
  })
}

let last = 0
function createDelivery(how: 'spins' | 'hangs' | 'ends') {
  last += 1
  const [eventId, objectId] = [`evt_endless_${last}`, `pi_endless_${last}`]
  const object = { id: objectId, object: 'payment_intent', metadata: { how } }
  return { eventId, objectId, body: snapshotJson({ id: eventId, data: { object } }) }
}

const metrics = async () => (await fetch(`${server.adminUrl}/metrics`)).text()
const isHandled = (count: number) => async () => (await metrics()).includes(`entries{state="handled"} ${count}\n`)

describe('a handler that does not end', () => {
  it('keeps its place: deliveries are stored, and readiness, metric and log tell that nothing is handled', async () => {
    await start({ WORKER_CONCURRENCY: '1', HANDLER_TIMEOUT_MS: '50' })
    expect((await post(server.url, createDelivery('hangs'))).status).toBe(200)
    await eventually('its limit', async () => (await metrics()).includes('handlers_overrunning 1\n'))
    expect((await post(server.url, createDelivery('ends'))).status).toBe(200)
    expect(await (await fetch(`${server.url}/readyz`)).json()).toEqual({
      status: 'ready',
      worker: expect.stringContaining('past its time limit'),
    })
    expect(server.lines().map(({ msg }) => msg)).toContain(
      'every place is held by a handler past its time limit: nothing else is handled',
    )
    expect(await metrics()).toContain('entries{state="pending"} 1\n')
  })

  it('makes a process that does nothing else not ready', async () => {
    await start({ WORKER_CONCURRENCY: '1', HANDLER_TIMEOUT_MS: '50' })
    expect((await post(server.url, createDelivery('hangs'))).status).toBe(200)
    await eventually('its limit', async () => (await metrics()).includes('handlers_overrunning 1\n'))
    server.kill('SIGKILL')
    await server.exited
    await start({ WORKER_CONCURRENCY: '1', HANDLER_TIMEOUT_MS: '50', ROLE: 'work' })
    await eventually('it to be not ready', async () => (await fetch(`${server.url}/readyz`)).status === 503)
  })

  it('ends the process in order once it has held on for too long, and is made again by the next', async () => {
    await start({ HANDLER_TIMEOUT_MS: '50', HANDLER_OVERRUN_MS: '50', SHUTDOWN_TIMEOUT_MS: '1000' })
    const hanging = createDelivery('hangs')
    expect((await post(server.url, hanging)).status).toBe(200)
    expect(await server.exited).toEqual({ code: 1, signal: null })
    expect(server.lines()).toContainEqual(
      expect.objectContaining({ level: 60, eventId: hanging.eventId, type: 'payment_intent.succeeded' }),
    )
    await writeFile(join(scratch.path, 'release'), '')
    await start()
    // Its attempt failed: it is made again after the delay of a failure, not at once.
    await eventually('the retry to wait', async () => (await metrics()).includes('entries{state="pending"} 1\n'))
  })

  it('nor returns to the event loop ends the process at once, and the log names its event', async () => {
    await start({ HANDLER_TIMEOUT_MS: '500' }, IMPATIENT)
    const spinning = createDelivery('spins')
    expect((await post(server.url, spinning)).status).toBe(200)
    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' })
    expect(server.lines()).toContainEqual(
      expect.objectContaining({
        level: 60,
        eventId: spinning.eventId,
        type: 'payment_intent.succeeded',
        msg: expect.stringContaining('event loop'),
      }),
    )
    await writeFile(join(scratch.path, 'release'), '')
    await start()
    await eventually('it to be handled by the next process', isHandled(1))
  })
})

it("a target's `where` that does not return ends a process that only takes deliveries, too", async () => {
  const where = '() => { for (;;); }'
  const env = await writeTargets(scratch.path, { shop: targetAt('http://127.0.0.1:9', `where: ${where}`) })
  await start({ ...env, ROLE: 'receive', HANDLER_TIMEOUT_MS: '500' }, IMPATIENT)
  await expect(post(server.url, createDelivery('ends'))).rejects.toThrow()
  expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' })
  expect(server.lines().at(-1)).toMatchObject({ level: 60, msg: expect.stringContaining('another function of yours') })
})
