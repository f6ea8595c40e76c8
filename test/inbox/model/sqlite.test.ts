import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, vi } from 'vitest'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import { openSqliteInbox } from '../../../src/inbox/sqlite/inbox.ts'
import { runModel } from './run-model.ts'
import type { StoreUnderModel } from './store.ts'
import { createThreadsHere } from './threads-here.ts'

/** In memory where there is a place for that: nothing here asks whether a disk keeps what it took. */
const PLACE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
/** By hand it may be any number of sequences. */
const LONGEST_MS = 3_600_000
/** More than a sequence sets the clock back. */
const LATER_MS = 10 * 86_400_000

async function openStore(): Promise<StoreUnderModel> {
  const folder = await mkdtemp(join(PLACE, 'receiver-model-'))
  const path = join(folder, 'inbox.db')
  vi.useFakeTimers({ toFake: ['Date', 'performance'] })
  const threads = createThreadsHere()
  const open = () => openSqliteInbox(path, 'server', {}, threads.createThread)
  let inbox = await open()
  /** It starts by that, and knows what the clock shows: of a time at which nobody looked, it does not. */
  const look = () => inbox.replay([])
  const other = new DatabaseSync(path, { timeout: 500 })
  return {
    isShared: false,
    inboxes: () => [inbox, inbox],
    async step(ms, isSet) {
      if (isSet) vi.setSystemTime(Date.now() + ms)
      else vi.advanceTimersByTime(ms)
      await look()
    },
    async loseProcess() {
      await inbox.close()
      inbox = await open()
    },
    async loseThreads() {
      threads.kill()
      await look()
    },
    async empty() {
      other.exec(
        'BEGIN IMMEDIATE; DELETE FROM forward_attempt; DELETE FROM forward; DELETE FROM attempt; DELETE FROM payload; DELETE FROM entry; COMMIT',
      )
      vi.setSystemTime(Date.now() + LATER_MS)
      await look()
    },
    async [Symbol.asyncDispose]() {
      other.close()
      await inbox.close()
      vi.useRealTimers()
      await rm(folder, { recursive: true })
    },
  }
}

describe('the SQLite store beside the reference', () => {
  it('does what that says, in whatever order things happen', { timeout: LONGEST_MS }, async () => {
    await using store = await openStore()
    await runModel(store, 1_600)
  })
})

// A seed is of one failure only.
describe.skipIf(process.env.MODEL_SEED !== undefined)('the reference', () => {
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
      /the lease of \w1'? has to name (\w1)'? as handled\n {2}add /,
    ],
    [
      'hides that a newer one was handled',
      (inbox) => ({
        claim: async (request) => (await inbox.claim(request)).map((lease) => ({ ...lease, isSuperseded: false })),
      }),
      /the lease of \w\d'? says wrongly whether a newer one of its lane was handled\n {2}add /,
    ],
    [
      'settles what it has settled',
      (inbox) => ({ settle: async (...given) => (await inbox.settle(...given)) || true }),
      /was settled by a lease that was over\n {2}add /,
    ],
  ])('parts with a store that %s, and tells how', async (_, breakIn, message) => {
    await using store = await openStore()
    const broken = (inbox: Inbox): Inbox => ({ ...inbox, ...breakIn(inbox) })
    const inboxes = (): [Inbox, Inbox] => {
      const [one, another] = store.inboxes()
      return [broken(one), broken(another)]
    }
    await expect(runModel({ ...store, inboxes }, 1_000)).rejects.toThrow(message)
  })
})
