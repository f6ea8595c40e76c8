import { copyFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import { openPostgresInbox } from '../../../src/inbox/postgres/inbox.ts'
import { openSqliteInbox } from '../../../src/inbox/sqlite/inbox.ts'
import { openPostgresProxy, type PostgresProxy } from '../../support/postgres-proxy.ts'
import { type PostgresServer, startPostgres } from '../../support/postgres-server.ts'
import { createPlace, type Place, type Watch } from './place.ts'

/** What is struck: a store, and the places of the processes that work on it. */
export type Subject = SqliteSubject | PostgresSubject
export type Store = Subject['store']

interface Shared {
  /** Looks into the store as a command does, past everything that is in the processes' way. */
  look<T>(work: (inbox: Inbox) => Promise<T>): Promise<T>
  [Symbol.asyncDispose](): Promise<void>
}

export interface SqliteSubject extends Shared {
  readonly store: 'sqlite'
  /** One: no other works on the file. */
  readonly places: readonly Place[]
  readonly databasePath: string
}

export interface PostgresSubject extends Shared {
  readonly store: 'postgres'
  readonly places: readonly PostgresPlace[]
  readonly postgres: PostgresServer
}

interface PostgresPlace extends Place {
  /** Between its process and Postgres. */
  readonly proxy: PostgresProxy
}

/** A store of its own in the folder, and places for processes, in which none runs yet. */
export function openSubject(store: Store, folder: string, watch: Watch): Promise<Subject> {
  return store === 'sqlite' ? openSqliteSubject(folder, watch) : openPostgresSubject(folder, watch)
}

async function openSqliteSubject(folder: string, watch: Watch): Promise<SqliteSubject> {
  const place = createPlace({ folder, name: 'server', env: {}, ...watch })
  const databasePath = join(folder, 'data', 'inbox.db')

  /** Closing the file itself would tidy its write-ahead log, which the next server must find as the kill left it. */
  async function copyDatabase(): Promise<string> {
    const copy = join(folder, 'copy')
    await rm(copy, { recursive: true, force: true })
    await mkdir(copy)
    await copyFile(databasePath, join(copy, 'inbox.db'))
    await copyFile(`${databasePath}-wal`, join(copy, 'inbox.db-wal')).catch(() => undefined)
    return join(copy, 'inbox.db')
  }

  return {
    store: 'sqlite',
    places: [place],
    databasePath,
    async look(work) {
      const inbox = await openSqliteInbox(place.server() === undefined ? await copyDatabase() : databasePath, 'command')
      try {
        return await work(inbox)
      } finally {
        await inbox.close()
      }
    },
    async [Symbol.asyncDispose]() {
      if (place.server() !== undefined) await place.kill()
    },
  }
}

/** Its places reach Postgres through a proxy each. */
async function openPostgresSubject(folder: string, watch: Watch): Promise<PostgresSubject> {
  await using undo = new AsyncDisposableStack()
  const postgres = undo.use(await startPostgres())
  const openPlace = async (name: string): Promise<PostgresPlace> => {
    const proxy = undo.use(await openPostgresProxy(postgres.url))
    return { ...createPlace({ folder, name, env: { DATABASE_URL: proxy.url }, ...watch }), proxy }
  }
  const places = [await openPlace('first'), await openPlace('second')]
  undo.defer(async () => {
    await Promise.all(places.map((place) => place.server() && place.kill()))
  })
  let inbox: Promise<Inbox> | undefined
  undo.defer(async () => (await inbox)?.close())
  const all = undo.move()
  return {
    store: 'postgres',
    places,
    postgres,
    async look(work) {
      inbox ??= openPostgresInbox(postgres.url, 'command')
      return work(await inbox)
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
