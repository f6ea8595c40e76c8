import { copyFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import { openSqliteInbox } from '../../../src/inbox/sqlite/inbox.ts'
import { createPlace } from './place.ts'
import type { SqliteSubject, Watch } from './subject.ts'

/** One place, whose processes keep their inbox in the folder. */
export async function openSqliteSubject(folder: string, watch: Watch): Promise<SqliteSubject> {
  const place = createPlace({ folder, name: 'server', env: {}, ...watch })
  const databasePath = join(folder, 'data', 'inbox.db')

  /** A copy, because closing the file itself would tidy its write-ahead log, which the next server must find as the kill left it. */
  async function withCopy<T>(work: (path: string) => Promise<T>): Promise<T> {
    const copy = join(folder, 'copy')
    await mkdir(copy)
    await copyFile(databasePath, join(copy, 'inbox.db'))
    await copyFile(`${databasePath}-wal`, join(copy, 'inbox.db-wal')).catch(() => undefined)
    try {
      return await work(join(copy, 'inbox.db'))
    } finally {
      await rm(copy, { recursive: true })
    }
  }

  async function withInbox<T>(path: string, work: (inbox: Inbox) => Promise<T>): Promise<T> {
    const inbox = await openSqliteInbox(path, 'command')
    try {
      return await work(inbox)
    } finally {
      await inbox.close()
    }
  }

  return {
    store: 'sqlite',
    places: [place],
    databasePath,
    look: (work) =>
      place.server() === undefined ? withCopy((path) => withInbox(path, work)) : withInbox(databasePath, work),
    async [Symbol.asyncDispose]() {
      if (place.server() !== undefined) await place.kill()
    },
  }
}
