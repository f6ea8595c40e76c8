import { copyFile, open, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSqliteInbox } from '../../src/inbox/sqlite/inbox.ts'
import { eventually } from '../support/eventually.ts'
import { createDelivery, type Delivery, post } from '../support/load.ts'
import { newEntry } from '../support/new-entry.ts'
import { readRecord } from '../support/recording-handlers.ts'
import { makeScratch } from '../support/scratch.ts'
import { type ServerProcess, spawnServer } from '../support/spawn-server.ts'

const HANDLERS = fileURLToPath(new URL('../support/recording-handlers.ts', import.meta.url))
const PAGE_BYTES = 16_384

let scratch: Awaited<ReturnType<typeof makeScratch>>
let server: ServerProcess | undefined
let file: string
beforeEach(async () => {
  scratch = await makeScratch()
  file = join(scratch.path, 'data', 'inbox.db')
})
afterEach(async () => {
  server?.kill('SIGKILL')
  await server?.exited
  server = undefined
  await scratch.remove()
})

async function start(): Promise<ServerProcess> {
  server = await spawnServer({ folder: scratch.path, env: { HANDLERS, RECORD_FILE: join(scratch.path, 'record.txt') } })
  return server
}

const handledIds = () =>
  readRecord(join(scratch.path, 'record.txt')).steps.flatMap(({ step, eventId }) => (step === 'handled' ? eventId : []))

const readiness = async (running: ServerProcess) => (await fetch(`${running.url}/readyz`)).status

async function deliver(running: ServerProcess): Promise<Delivery> {
  const delivery = createDelivery()
  expect((await post(running.url, delivery)).status).toBe(200)
  return delivery
}

/** Expects deliveries and readiness to be answered 503, and the process to live. */
async function expectRefusals(running: ServerProcess): Promise<void> {
  for (const delivery of [createDelivery(), createDelivery()]) {
    const { status, headers } = await post(running.url, delivery)
    expect(status).toBe(503)
    expect(Number(headers['retry-after'])).toBeGreaterThan(0)
  }
  expect(await readiness(running)).toBe(503)
  expect((await fetch(`${running.url}/healthz`)).status).toBe(200)
}

/** The log's word on the first refusal, which may come after its answer. */
const firstReason = (running: ServerProcess) =>
  eventually(
    'the refusal to be logged',
    () => running.lines().flatMap(({ msg, reason }) => (msg === 'delivery refused' ? String(reason) : []))[0],
  )

describe('while another process holds the write lock', () => {
  it('answers 503, and takes and handles everything again after it', async () => {
    const running = await start()
    const before = await deliver(running)
    const other = new DatabaseSync(file, { timeout: 5_000 })
    other.exec('BEGIN EXCLUSIVE')
    await expectRefusals(running)
    expect(await firstReason(running)).toContain('locked by another process')
    other.exec('ROLLBACK')
    other.close()
    await eventually('the server to be ready again', async () => (await readiness(running)) === 200)
    const after = await deliver(running)
    await eventually('both to be handled', () => [before, after].every(({ eventId }) => handledIds().includes(eventId)))
  })
})

describe('when a page of the database is corrupt', () => {
  it('answers 503, and does not say that it is ready', async () => {
    const inbox = await openSqliteInbox(file, 'server')
    await Promise.all(Array.from({ length: 200 }, () => inbox.add(newEntry({ state: 'parked' }))))
    await inbox.close()
    await overwriteRootPage('payload')
    const running = await start()
    await expectRefusals(running)
    expect(await firstReason(running)).toMatch(/corrupt.*restore/i)
  })

  async function overwriteRootPage(table: string): Promise<void> {
    const db = new DatabaseSync(file)
    const page = Number(db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table)?.rootpage)
    db.close()
    const handle = await open(file, 'r+')
    await handle.write(Buffer.alloc(PAGE_BYTES, 0xaa), 0, PAGE_BYTES, (page - 1) * PAGE_BYTES)
    await handle.close()
  }
})

// SQLite goes on writing to a file that no name leads to any more: all of it would be lost with the process.
describe('when a file of the database is taken away', () => {
  it.each<[string, () => Promise<void>]>([
    ['the file is deleted', () => rm(file)],
    ['its write-ahead log is deleted', () => rm(`${file}-wal`)],
    // As a command beside the server does, which finds none.
    ['its write-ahead log is deleted and made anew', () => rm(`${file}-wal`).then(() => writeFile(`${file}-wal`, ''))],
    ['its index of the log is deleted', () => rm(`${file}-shm`)],
    ['its lock file is deleted, so that a second server could start', () => rm(`${file}.server-lock`)],
    [
      'the file is replaced',
      async () => {
        await copyFile(file, `${file}.restored`)
        await rename(`${file}.restored`, file)
      },
    ],
  ])('answers 503 once %s, and says which and what to do', async (_what, takeAway) => {
    const running = await start()
    const delivery = await deliver(running)
    await eventually('the event to be handled', () => handledIds().includes(delivery.eventId))
    await takeAway()
    expect(await readiness(running)).toBe(503)
    await expectRefusals(running)
    expect(await firstReason(running)).toMatch(/inbox\.db(-wal|-shm|\.server-lock)? was deleted.*restart/i)
  })

  it('answers 503 once the file was emptied in place, and says so', async () => {
    const running = await start()
    await deliver(running)
    await truncate(file)
    await expectRefusals(running)
    // Whoever opens an emptied file takes its log for a leftover, and erases it: that may be seen first.
    const told = /inbox\.db( was cut short from \d+ to 0 bytes|-wal was deleted, moved or replaced).*restart/i
    expect(await firstReason(running)).toMatch(told)
  })

  it('takes and handles deliveries again once the file is back, and has lost nothing', async () => {
    const running = await start()
    const before = await deliver(running)
    await rename(file, `${file}.away`)
    await expectRefusals(running)
    await rename(`${file}.away`, file)
    await eventually('the server to be ready again', async () => (await readiness(running)) === 200)
    const after = await deliver(running)
    await eventually('both to be handled', () => [before, after].every(({ eventId }) => handledIds().includes(eventId)))
    running.kill('SIGKILL')
    await running.exited
    const inbox = await openSqliteInbox(file, 'command')
    for (const { eventId } of [before, after]) expect(await inbox.get(eventId)).toBeDefined()
    await inbox.close()
  })
})
