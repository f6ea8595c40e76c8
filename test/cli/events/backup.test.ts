import { existsSync } from 'node:fs'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSqliteInbox } from '../../../src/inbox/sqlite/inbox.ts'
import { deliver } from '../../support/deliver.ts'
import { runCli } from '../../support/run-cli.ts'
import { type ScriptedServer, startScripted } from '../../support/scripted-server.ts'
import { snapshotJson } from '../../support/sign.ts'
import { type EventsInbox, makeEventsInbox } from './inbox.ts'

describe('beside a server that goes on storing', () => {
  let server: ScriptedServer
  beforeEach(async () => {
    server = await startScripted({ ROLE: 'receive' })
  })
  afterEach(() => server.remove())

  it('has all that was acknowledged before it, in a file that a server starts on', async () => {
    const acknowledged: string[] = []
    let isOver = false
    async function send(sender: number): Promise<void> {
      for (let number = 0; !isOver; number += 1) {
        const id = `evt_${sender}_${number}`
        expect(await deliver(`${server.url}/webhook`, snapshotJson({ id }))).toBe(200)
        acknowledged.push(id)
      }
    }
    const senders = Array.from({ length: 4 }, (_, sender) => send(sender))
    while (acknowledged.length < 200) await new Promise(setImmediate)
    const before = [...acknowledged]
    const env = { DATABASE_URL: `file:${join(server.folder, 'data', 'inbox.db')}` }
    const target = join(server.folder, 'copy', '..', 'copy.db')
    const { code, stdout, stderr } = await runCli(['events', 'backup', target], { env })
    isOver = true
    await Promise.all(senders)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const copy = join(server.folder, 'copy.db')
    const [, entries] = /^backed up (\d+) entries \([\d.]+ MiB\) to (.+)\n$/.exec(stdout) ?? []
    expect(stdout).toContain(copy)
    expect((await stat(copy)).mode & 0o777).toBe(0o600)
    expect((await readdir(server.folder)).filter((name) => name.startsWith('copy'))).toEqual(['copy.db'])
    const inbox = await openSqliteInbox(copy, 'server')
    const found = await inbox.lookUp(before)
    const counts = await inbox.counts()
    await inbox.close()
    expect(found).toHaveLength(before.length)
    expect(counts).toMatchObject({ pending: Number(entries) })
  })
})

describe('what cannot be done', () => {
  let inbox: EventsInbox
  beforeEach(async () => {
    inbox = await makeEventsInbox([{ eventId: 'evt_1', state: 'dead' }])
  })
  afterEach(() => inbox.remove())

  it('replaces no file', async () => {
    const target = join(dirname(inbox.path), 'there.db')
    await writeFile(target, 'there')
    const { code, stderr } = await inbox.run('backup', target)
    expect(code).toBe(1)
    expect(stderr).toBe(`error: ${target} is there already. Name a new file: a backup replaces none.\n`)
  })

  it('leaves nothing where it cannot write', async () => {
    const { code, stderr } = await inbox.run('backup', join(dirname(inbox.path), 'none', 'copy.db'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: Cannot back up .*inbox\.db to .*copy\.db: ENOENT.*\n$/)
    expect(existsSync(join(dirname(inbox.path), 'none'))).toBe(false)
  })

  it('is no copy of a Postgres', async () => {
    const env = { DATABASE_URL: 'postgres://receiver@127.0.0.1:1/receiver' }
    const { code, stderr } = await runCli(['events', 'backup', 'copy.db'], { env })
    expect(code).toBe(1)
    expect(stderr).toContain('pg_dump')
  })
})
