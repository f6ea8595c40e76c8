import { execFileSync } from 'node:child_process'
import { statfsSync } from 'node:fs'
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSqliteInbox } from '../../src/inbox/sqlite/inbox.ts'
import { eventually } from '../support/eventually.ts'
import { createDelivery, type Delivery, post } from '../support/load.ts'
import { readRecord } from '../support/recording-handlers.ts'
import { makeScratch } from '../support/scratch.ts'
import { type ServerProcess, spawnServer, startInVain } from '../support/spawn-server.ts'
import { canMount, throughMounts } from './database-mounts.ts'

const HANDLERS = fileURLToPath(new URL('../support/recording-handlers.ts', import.meta.url))
/** Less than the 2 MiB that the write-ahead log takes before it starts over, and twice what the start writes into it. */
const ROOM_BYTES = 1_500_000
/** More than that room holds: each takes a page of 16 KiB and more of the log. */
const MOST_DELIVERIES = 500

/** A way to run out of room, and to get it back. */
interface Disk {
  readonly name: string
  readonly isPossible: boolean
  readonly through: readonly string[]
  /** Where the server's data folder is for this process. */
  dataFolder(server: ServerProcess, folder: string): string
  fill(server: ServerProcess, dataFolder: string): Promise<void>
  free(server: ServerProcess, dataFolder: string): Promise<void>
}

const disks: readonly Disk[] = [
  {
    name: 'writes beyond a file size fail (EFBIG)',
    isPossible: process.platform === 'linux',
    through: ['prlimit', `--fsize=${ROOM_BYTES}:unlimited`],
    dataFolder: (_server, folder) => join(folder, 'data'),
    fill: async () => undefined,
    async free({ pid }) {
      execFileSync('prlimit', ['--pid', String(pid), '--fsize=unlimited:unlimited'])
    },
  },
  {
    name: 'the file system is full (ENOSPC)',
    isPossible: canMount,
    through: throughMounts('mkdir -p data && mount -t tmpfs -o size=16m tmpfs data'),
    dataFolder: ({ pid }, folder) => join(`/proc/${pid}/root`, folder, 'data'),
    async fill(_server, dataFolder) {
      const { bavail, bsize } = statfsSync(dataFolder)
      await writeFile(join(dataFolder, 'ballast'), Buffer.alloc(bavail * bsize - ROOM_BYTES))
    },
    free: (_server, dataFolder) => rm(join(dataFolder, 'ballast')),
  },
]

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

const record = () => join(scratch.path, 'record.txt')
const stepsOf = (eventId: string) => readRecord(record()).steps.filter((recorded) => recorded.eventId === eventId)
const readiness = async (running: ServerProcess) => (await fetch(`${running.url}/readyz`)).status

/** Delivers until it is refused; gives what was answered 200, and the refused one. */
async function deliverUntilRefused({ url }: ServerProcess): Promise<{ acknowledged: Delivery[]; refused: Delivery }> {
  const acknowledged: Delivery[] = []
  while (acknowledged.length < MOST_DELIVERIES) {
    const delivery = createDelivery()
    const { status, headers } = await post(url, delivery)
    if (status !== 200) {
      expect(status).toBe(503)
      expect(Number(headers['retry-after'])).toBeGreaterThan(0)
      return { acknowledged, refused: delivery }
    }
    acknowledged.push(delivery)
  }
  throw new Error(`${MOST_DELIVERIES} deliveries were answered 200, for which there is no room`)
}

/** The states of the entries, once nothing is written any more. */
async function readStates(dataFolder: string, deliveries: readonly Delivery[]): Promise<(string | undefined)[]> {
  const copy = join(scratch.path, 'copy')
  await mkdir(copy)
  for (const name of ['inbox.db', 'inbox.db-wal']) await copyFile(join(dataFolder, name), join(copy, name))
  const inbox = await openSqliteInbox(join(copy, 'inbox.db'), 'command')
  const details = await Promise.all(deliveries.map(({ eventId }) => inbox.get(eventId)))
  await inbox.close()
  return details.map((detail) => detail?.entry.state)
}

describe.each(disks)('when $name', (disk) => {
  it.skipIf(!disk.isPossible)('refuses with 503, keeps what it acknowledged, and recovers by itself', async () => {
    const released = join(scratch.path, 'release')
    const env = { HANDLERS, RECORD_FILE: record(), RELEASE_FILE: released }
    const running = await spawnServer({ folder: scratch.path, env, through: disk.through })
    server = running
    const dataFolder = disk.dataFolder(running, scratch.path)
    const held = createDelivery({ ask: { behaviour: 'hold' } })
    expect((await post(running.url, held)).status).toBe(200)
    await eventually('its handler to start', () => stepsOf(held.eventId).length === 1)
    await disk.fill(running, dataFolder)
    const first = await deliverUntilRefused(running)
    expect(first.acknowledged.length).toBeGreaterThan(0)
    await eventually('the server to say that it is not ready', async () => (await readiness(running)) === 503)
    await writeFile(released, '')
    await eventually('a handler to end while hardly anything can be recorded', () => stepsOf(held.eventId).length === 2)
    // What needs a page less may still have found room.
    const second = await deliverUntilRefused(running)
    await eventually('the server to say so again', async () => (await readiness(running)) === 503)
    expect((await fetch(`${running.url}/healthz`)).status).toBe(200)

    await disk.free(running, dataFolder)
    await eventually('the server to be ready again', async () => (await readiness(running)) === 200)
    const later = [first.refused, second.refused, createDelivery()]
    for (const delivery of later) expect((await post(running.url, delivery)).status).toBe(200)
    const isIdle = async () => {
      const metrics = await (await fetch(`${running.adminUrl}/metrics`)).text()
      return /state="pending"\} 0\n/.test(metrics) && /state="running"\} 0\n/.test(metrics)
    }
    await eventually('everything to settle', isIdle)
    const acknowledged = [held, ...first.acknowledged, ...second.acknowledged, ...later]
    expect(new Set(await readStates(dataFolder, acknowledged))).toEqual(new Set(['handled']))
    for (const { eventId } of acknowledged)
      expect(stepsOf(eventId).map(({ step }) => step)).toEqual(['started', 'handled'])
    expect(await Promise.race([running.exited, 'still running'])).toBe('still running')
  })
})

describe.skipIf(process.platform !== 'linux')('when there is no room for a new inbox', () => {
  it('does not start and says why, and starts once there is room', async () => {
    const { code, text } = await startInVain({ folder: scratch.path, through: ['prlimit', '--fsize=100000'] })
    expect(code).toBe(1)
    expect(text).toContain(join(scratch.path, 'data', 'inbox.db'))
    expect(text).toMatch(/disk/)
    expect(text.trim().split('\n')).toHaveLength(1)
    server = await spawnServer({ folder: scratch.path })
    expect((await post(server.url, createDelivery())).status).toBe(200)
  })
})
