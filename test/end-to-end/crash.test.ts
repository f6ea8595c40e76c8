import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { openSqliteInbox } from '../../src/inbox/sqlite/inbox.ts'
import { eventually } from '../support/eventually.ts'
import { createDelivery, post } from '../support/load.ts'
import { type RecordedStep, readRecord } from '../support/recording-handlers.ts'
import { makeScratch } from '../support/scratch.ts'
import { type ServerProcess, spawnServer } from '../support/spawn-server.ts'

const HANDLERS = fileURLToPath(new URL('../support/recording-handlers.ts', import.meta.url))

let scratch: Awaited<ReturnType<typeof makeScratch>>
let server: ServerProcess | undefined
beforeEach(async () => {
  scratch = await makeScratch()
})
afterEach(async () => {
  server?.kill('SIGKILL')
  await server?.exited
  server = undefined
  await scratch.remove()
})

describe('kill -9 inside a handler', { timeout: 300_000 }, () => {
  const released = () => join(scratch.path, 'release')
  const steps = () => readRecord(join(scratch.path, 'record.txt')).steps
  const stepsOf = (eventId: string, step: RecordedStep['step']) =>
    steps().filter((recorded) => recorded.eventId === eventId && recorded.step === step)

  async function start(): Promise<ServerProcess> {
    const env = { HANDLERS, MAX_ATTEMPTS: '3', RELEASE_FILE: released(), RECORD_FILE: join(scratch.path, 'record.txt') }
    server = await spawnServer({ folder: scratch.path, env })
    return server
  }

  async function look<T>(work: (inbox: Inbox) => Promise<T>): Promise<T> {
    const inbox = await openSqliteInbox(join(scratch.path, 'data', 'inbox.db'), 'command')
    try {
      return await work(inbox)
    } finally {
      await inbox.close()
    }
  }

  const get = (eventId: string) => look((inbox) => inbox.get(eventId))
  const hasState = (eventId: string, state: string) => async () => (await get(eventId))?.entry.state === state

  it('counts the attempt, and makes another one at the next start', async () => {
    const held = createDelivery({ ask: { behaviour: 'hold' } })
    const first = await start()
    expect((await post(first.url, held)).status).toBe(200)
    await eventually('the handler to start', () => stepsOf(held.eventId, 'started').length === 1)
    first.kill('SIGKILL')
    await first.exited
    await writeFile(released(), '')
    const second = await start()
    await eventually('the event to be handled', hasState(held.eventId, 'handled'))
    expect(steps().map(({ step, attempt, pid }) => ({ step, attempt, pid }))).toEqual([
      { step: 'started', attempt: 1, pid: first.pid },
      { step: 'started', attempt: 2, pid: second.pid },
      { step: 'handled', attempt: 2, pid: second.pid },
    ])
    expect((await get(held.eventId))?.attempts).toMatchObject([
      { number: 1, outcome: 'lost' },
      { number: 2, outcome: 'handled' },
    ])
  })

  it('gives up on an event that kills its process each time, and handles the others all the while', async () => {
    const deadly = createDelivery({ ask: { behaviour: 'kill' } })
    const others = Array.from({ length: 4 }, () => createDelivery())
    for (const [index, other] of others.entries()) {
      const running = await start()
      if (index === 0) expect((await post(running.url, deadly)).status).toBe(200)
      if (index < 3) await eventually('it to start', () => stepsOf(deadly.eventId, 'started').length === index + 1)
      expect((await post(running.url, other)).status).toBe(200)
      await eventually('the other event to be handled', hasState(other.eventId, 'handled'))
      if (index === 3) break
      await writeFile(released(), '')
      expect(await running.exited).toEqual({ code: null, signal: 'SIGKILL' })
      await rm(released())
    }
    // After its third loss it waits for some seconds, at random.
    await look((inbox) => inbox.replay([deadly.eventId], ['pending']))
    await eventually('the event to be dead', hasState(deadly.eventId, 'dead'))
    expect((await get(deadly.eventId))?.attempts.map(({ outcome }) => outcome)).toEqual([
      'lost',
      'lost',
      'lost',
      'dead',
    ])
    expect(stepsOf(deadly.eventId, 'started').map(({ attempt }) => attempt)).toEqual([1, 2, 3])
    for (const { eventId } of others) expect(stepsOf(eventId, 'started')).toHaveLength(1)

    const last = createDelivery()
    expect((await post(server?.url ?? '', last)).status).toBe(200)
    await eventually('the last event to be handled', hasState(last.eventId, 'handled'))
    expect((await fetch(`${server?.url}/readyz`)).status).toBe(200)
  })
})
