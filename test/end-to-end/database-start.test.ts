import { existsSync } from 'node:fs'
import {
  chmod,
  chown,
  copyFile,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSqliteInbox } from '../../src/inbox/sqlite/inbox.ts'
import { createDelivery, post } from '../support/load.ts'
import { newEntry } from '../support/new-entry.ts'
import { makeScratch } from '../support/scratch.ts'
import { type ServerProcess, type SpawnOptions, spawnServer, startInVain } from '../support/spawn-server.ts'
import { canMount, mountReadOnly, throughMounts } from './database-mounts.ts'

const PAGE_BYTES = 16_384
const ENTRIES = 50

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

/** An inbox with entries; `beforeClose` sees it while its write-ahead log still holds them. */
async function makeInbox(beforeClose: () => Promise<void> = async () => undefined): Promise<void> {
  const inbox = await openSqliteInbox(file, 'server')
  await Promise.all(Array.from({ length: ENTRIES }, () => inbox.add(newEntry({ state: 'parked' }))))
  await beforeClose()
  await inbox.close()
}

/** Expects it to end by itself, with one line that names the file or folder, what is wrong and what to do. */
async function expectNoStart(message: RegExp, options: Partial<SpawnOptions> = {}): Promise<void> {
  const { code, text } = await startInVain({ folder: scratch.path, ...options })
  const lines = text.trim().split('\n')
  expect(lines).toEqual([expect.stringMatching(message)])
  expect(lines[0]).toContain(join(scratch.path, 'data'))
  expect(code).toBe(1)
}

async function start(env: Record<string, string> = {}): Promise<ServerProcess> {
  server = await spawnServer({ folder: scratch.path, env })
  return server
}

async function overwrite(from: number, length: number): Promise<void> {
  const handle = await open(file, 'r+')
  await handle.write(Buffer.alloc(length, 0xaa), 0, length, from)
  await handle.close()
}

const keepLog = () => copyFile(`${file}-wal`, `${file}-kept`)
const putLogBack = () => rename(`${file}-kept`, `${file}-wal`)

describe('starting on a locked database', () => {
  it.each([
    ['in an exclusive transaction', 'BEGIN EXCLUSIVE'],
    ['in exclusive mode', 'PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT'],
  ])('gives up with what to do while another process is %s, and starts after it', async (_how, sql) => {
    await makeInbox()
    const other = new DatabaseSync(file)
    other.exec(sql)
    await expectNoStart(/locked by another process.*stop/i)
    other.close()
    expect((await post((await start()).url, createDelivery())).status).toBe(200)
  })
})

describe('starting on a damaged database', () => {
  it.each<[string, RegExp, () => Promise<void>]>([
    ['whose header is overwritten', /not a database.*restore/i, () => overwrite(0, 100)],
    ['whose first page is overwritten', /corrupt.*restore/i, () => overwrite(100, PAGE_BYTES - 100)],
    [
      'of which only the first page is left as it was',
      /corrupt.*restore/i,
      async () => overwrite(PAGE_BYTES, (await stat(file)).size - PAGE_BYTES),
    ],
    [
      'that is cut in half',
      /corrupt.*restore/i,
      async () => truncate(file, Math.floor((await stat(file)).size / 2 / PAGE_BYTES) * PAGE_BYTES),
    ],
    ['that is cut in its first page', /corrupt.*restore/i, () => truncate(file, 1_000)],
  ])('refuses one %s, and leaves it as it was', async (_what, message, damage) => {
    await makeInbox()
    await damage()
    const before = await readFile(file)
    await expectNoStart(message)
    expect(before.equals(await readFile(file))).toBe(true)
  })

  it.each([
    ['emptied', () => truncate(file)],
    ['removed', () => rm(file)],
  ])(
    'refuses one that was %s while its write-ahead log holds entries, which SQLite would erase',
    async (_how, damage) => {
      await makeInbox(keepLog)
      await copyFile(file, `${file}-whole`)
      await damage()
      await putLogBack()
      const { size } = await stat(`${file}-wal`)
      await expectNoStart(/inbox\.db-wal.*put/i)
      expect((await stat(`${file}-wal`)).size).toBe(size)
      await rename(`${file}-whole`, file)
      const { adminUrl } = await start()
      expect(await (await fetch(`${adminUrl}/metrics`)).text()).toMatch(new RegExp(`state="parked"} ${ENTRIES}\n`))
    },
  )

  it('refuses the database of another program', async () => {
    await mkdir(join(scratch.path, 'data'))
    const other = new DatabaseSync(file)
    other.exec('PRAGMA user_version = 1; CREATE TABLE song (title TEXT)')
    other.close()
    await expectNoStart(/no such (table|index).*DATABASE_URL/)
  })
})

describe('starting where the database cannot be', () => {
  it('makes the folders that are missing', async () => {
    const running = await start({ DATABASE_URL: 'file:./data/of/mine/inbox.db' })
    expect((await post(running.url, createDelivery())).status).toBe(200)
    expect(existsSync(join(scratch.path, 'data', 'of', 'mine', 'inbox.db'))).toBe(true)
  })

  it('says so when a file is where its folder should be', async () => {
    await writeFile(join(scratch.path, 'data'), 'a file')
    await expectNoStart(/EEXIST.*DATABASE_URL/)
  })

  it('says so when a folder is where its file should be', async () => {
    await mkdir(file, { recursive: true })
    await expectNoStart(/EISDIR.*DATABASE_URL/)
  })

  it.skipIf(!canMount).each([
    ['the file', 'data/inbox.db'],
    ['the folder', 'data'],
  ])('says so when %s is read-only', async (_what, path) => {
    await makeInbox()
    await expectNoStart(/read-only.*permissions/, { through: throughMounts(mountReadOnly(path)) })
  })

  it.skipIf(!canMount)('says so when its folder cannot be made', async () => {
    await mkdir(join(scratch.path, 'data'))
    const env = { DATABASE_URL: 'file:./data/deeper/inbox.db' }
    await expectNoStart(/mkdir.*permissions/, { env, through: throughMounts(mountReadOnly('data')) })
  })
})

describe('an inbox behind a symbolic link', () => {
  it('is the file that the link leads to, with its log beside that', async () => {
    await makeInbox()
    const link = join(scratch.path, 'link.db')
    await symlink(file, link)
    const running = await start({ DATABASE_URL: `file:${link}` })
    expect((await post(running.url, createDelivery())).status).toBe(200)
    const other = await startInVain({ folder: scratch.path })
    expect(other.text).toMatch(/Another server is running on the inbox/)
    expect(existsSync(`${link}-wal`)).toBe(false)
  })
})

describe('an inbox that others may read', () => {
  const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)

  it('is made private again, with its folder when that holds nothing else', async () => {
    await makeInbox(keepLog)
    await putLogBack()
    for (const path of [file, `${file}-wal`, `${file}.server-lock`]) await chmod(path, 0o644)
    await chmod(dirname(file), 0o755)
    const running = await start()
    const paths = [file, `${file}-wal`, `${file}-shm`, `${file}.server-lock`, dirname(file)]
    expect(await Promise.all(paths.map(modeOf))).toEqual(['600', '600', '600', '600', '700'])
    expect(running.lines().filter(({ level }) => level === 40)).toEqual([])
  })

  it('in a folder of other things has its files made private, and is warned of when others can write there', async () => {
    await makeInbox()
    await writeFile(join(dirname(file), 'other.txt'), '')
    for (const [mode, warnings] of [
      [0o755, []],
      [0o777, [expect.stringMatching(/data can be written to by others \(777\)/)]],
    ] as const) {
      await chmod(file, 0o644)
      await chmod(dirname(file), mode)
      const running = await start()
      expect(await modeOf(file)).toBe('600')
      expect(await modeOf(dirname(file))).toBe(mode.toString(8))
      expect(running.lines().flatMap(({ level, msg }) => (level === 40 ? [msg] : []))).toEqual(warnings)
      running.kill('SIGKILL')
      await running.exited
    }
  })

  it.runIf(process.getuid?.() === 0)('and is not ours is warned of', async () => {
    await makeInbox()
    await chmod(file, 0o666)
    await chown(file, 12_345, 12_345)
    const running = await start()
    expect(running.text()).toMatch(/inbox\.db is open to others \(666\) and not ours to change: have its owner set 600/)
    expect(await modeOf(file)).toBe('666')
  })
})
