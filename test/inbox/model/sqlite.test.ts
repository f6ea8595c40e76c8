import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, vi } from 'vitest'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import { openSqliteInbox } from '../../../src/inbox/sqlite/inbox.ts'
import { describeModel } from './describe-model.ts'
import { runModel } from './run-model.ts'
import type { StoreUnderModel } from './store.ts'

vi.mock('../../../src/inbox/sqlite/thread.ts', async (original) => ({
  ...(await original<typeof import('../../../src/inbox/sqlite/thread.ts')>()),
  createThread: (await import('./one-thread.ts')).createThreadHere,
}))
vi.mock('../../../src/inbox/sqlite/serve-thread.ts', async (original) => ({
  ...(await original<typeof import('../../../src/inbox/sqlite/serve-thread.ts')>()),
  serveThread: (await import('./one-thread.ts')).serveHere,
}))

/** In memory where there is a place for that: nothing here asks whether a disk keeps what it took. */
const PLACE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

async function openStore(): Promise<StoreUnderModel> {
  const folder = await mkdtemp(join(PLACE, 'receiver-model-'))
  const path = join(folder, 'inbox.db')
  vi.useFakeTimers({ toFake: ['Date'] })
  let inbox = await openSqliteInbox(path, 'server')
  const other = new DatabaseSync(path, { timeout: 500 })
  return {
    isShared: false,
    tickMs: 1_100,
    inboxes: () => [inbox, inbox],
    now: async () => Date.now(),
    step: async (ms) => void vi.setSystemTime(Date.now() + ms),
    async lose() {
      await inbox.close()
      inbox = await openSqliteInbox(path, 'server')
    },
    async empty() {
      other.exec('BEGIN IMMEDIATE; DELETE FROM attempt; DELETE FROM payload; DELETE FROM entry; COMMIT')
    },
    async [Symbol.asyncDispose]() {
      other.close()
      await inbox.close()
      vi.useRealTimers()
      await rm(folder, { recursive: true })
    },
  }
}

describeModel('the SQLite store', 1_600, openStore)

describe('the reference', () => {
  it.each<[fault: string, breakIn: (inbox: Inbox) => Partial<Inbox>, message: RegExp]>([
    [
      'loses what it accepted',
      (inbox) => ({ add: async (entry, lease) => (entry.lane === '/B' ? 'added' : inbox.add(entry, lease)) }),
      /nothing was leased, though B1'? was due\n {2}add /,
    ],
    [
      'runs the twin of what was handled',
      (inbox) => ({
        claim: async (request) => (await inbox.claim(request)).map((lease) => ({ ...lease, handledTwin: null })),
      }),
      /the lease of (\w1)'? has to say that \1'? was handled\n {2}add /,
    ],
    [
      'settles what it has settled',
      (inbox) => ({ settle: async (...given) => (await inbox.settle(...given)) || true }),
      /was settled by a lease that had ended\n {2}add /,
    ],
  ])('parts with a store that %s, and tells how', async (_, breakIn, message) => {
    await using store = await openStore()
    const broken = (inbox: Inbox): Inbox => ({ ...inbox, ...breakIn(inbox) })
    const inboxes = (): [Inbox, Inbox] => {
      const [one, another] = store.inboxes()
      return [broken(one), broken(another)]
    }
    await expect(runModel({ ...store, inboxes }, { numRuns: 1_000 })).rejects.toThrow(message)
  })
})
