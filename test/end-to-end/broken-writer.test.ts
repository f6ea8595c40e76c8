import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { createDelivery, type Delivery, post, sendLoad } from '../support/load.ts'
import { readRecord } from '../support/recording-handlers.ts'
import { makeScratch } from '../support/scratch.ts'
import { type ServerProcess, spawnServer } from '../support/spawn-server.ts'

const HANDLERS = fileURLToPath(new URL('../support/recording-handlers.ts', import.meta.url))
const BREAKING = new URL('../support/breaking-writer.ts', import.meta.url).href

let scratch: Awaited<ReturnType<typeof makeScratch>>
let server: ServerProcess
beforeEach(async () => {
  scratch = await makeScratch()
  const env = {
    HANDLERS,
    RECORD_FILE: join(scratch.path, 'record.txt'),
    RELEASE_FILE: join(scratch.path, 'release'),
    BREAK_FILE: join(scratch.path, 'break'),
    NODE_OPTIONS: `--import ${BREAKING}`,
  }
  server = await spawnServer({ folder: scratch.path, env })
})
afterEach(async () => {
  server.kill('SIGKILL')
  await server.exited
  await scratch.remove()
})

const stepsOf = ({ eventId }: Delivery) =>
  readRecord(join(scratch.path, 'record.txt'))
    .steps.filter((step) => step.eventId === eventId)
    .map(({ step, attempt }) => `${step} ${attempt}`)
const isReady = async () => (await fetch(`${server.url}/readyz`)).status === 200

function breakWriter(how: 'throw' | 'exit' | 'hang'): void {
  // Whole at once, for whoever looks for it.
  writeFileSync(join(scratch.path, 'breaking'), how)
  renameSync(join(scratch.path, 'breaking'), join(scratch.path, 'break'))
}

describe('when the thread that writes the inbox', () => {
  it.each(['throw', 'exit'] as const)(
    'ends by a fault (%s), another one goes on: nothing acknowledged is lost, and nothing runs twice',
    async (how) => {
      const held = createDelivery({ ask: { behaviour: 'hold' } })
      expect((await post(server.url, held)).status).toBe(200)
      await eventually('its handler to run', () => stepsOf(held).length === 1)

      const acknowledged: Delivery[] = []
      const statuses = new Set<number>()
      let isOver = false
      const load = sendLoad({
        url: server.url,
        connections: 8,
        next: () => (isOver ? undefined : createDelivery()),
        onAnswer(delivery, status) {
          statuses.add(status)
          if (status === 200) acknowledged.push(delivery)
        },
      })
      await eventually('some deliveries', () => acknowledged.length > 20)
      breakWriter(how)
      const isTold = () =>
        server.lines().some(({ msg }) => msg === 'the thread that writes the inbox ended; a new one starts')
      await eventually('the log to tell', isTold)
      const before = acknowledged.length
      await eventually('deliveries to be taken again', () => acknowledged.length > before + 20)
      expect(await isReady()).toBe(true)
      isOver = true
      await load
      expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([])

      await writeFile(join(scratch.path, 'release'), '')
      for (const delivery of [held, ...acknowledged])
        await eventually(`${delivery.eventId} to be handled`, () => stepsOf(delivery).at(-1)?.startsWith('handled'))
      const metrics = async () => (await fetch(`${server.adminUrl}/metrics`)).text()
      await eventually(
        'everything to settle',
        async () => /state="pending"\} 0\n/.test(await metrics()) && /state="running"\} 0\n/.test(await metrics()),
      )
      expect(stepsOf(held)).toEqual(['started 1', 'handled 1'])
      // A claim that nobody was told of counts as an attempt: its handler never ran.
      for (const delivery of acknowledged)
        expect(stepsOf(delivery)).toEqual([
          expect.stringMatching(/^started [12]$/),
          expect.stringMatching(/^handled [12]$/),
        ])
    },
  )

  it('hangs, deliveries are answered 503 and the process stays alive; it goes on where it was', async () => {
    breakWriter('hang')
    await eventually('a refusal', async () => (await post(server.url, createDelivery())).status === 503)
    const refused = [createDelivery(), createDelivery()].map((delivery) => post(server.url, delivery))
    const unready = isReady()
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
    expect((await Promise.all(refused)).map(({ status }) => status)).toEqual([503, 503])
    expect(await unready).toBe(false)
    rmSync(join(scratch.path, 'break'))
    await eventually('the server to be ready again', isReady)
    const after = createDelivery()
    expect((await post(server.url, after)).status).toBe(200)
    await eventually('it to be handled', () => stepsOf(after).length === 2)
  })
})
