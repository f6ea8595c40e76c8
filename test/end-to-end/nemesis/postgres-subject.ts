import type { Inbox } from '../../../src/inbox/inbox.ts'
import { openPostgresInbox } from '../../../src/inbox/postgres/inbox.ts'
import { openPostgresProxy } from '../../support/postgres-proxy.ts'
import { startPostgres } from '../../support/postgres-server.ts'
import { createPlace } from './place.ts'
import type { PostgresSubject, Watch } from './subject.ts'

const PLACES = ['first', 'second']

/** A Postgres of its own, and places whose processes reach it through a proxy each. */
export async function openPostgresSubject(folder: string, watch: Watch): Promise<PostgresSubject> {
  await using undo = new AsyncDisposableStack()
  const postgres = undo.use(await startPostgres())
  const opened = await Promise.all(
    PLACES.map(async (name) => {
      const proxy = await openPostgresProxy(postgres.url)
      return { ...createPlace({ folder, name, env: { DATABASE_URL: proxy.url }, ...watch }), proxy }
    }),
  )
  for (const { proxy } of opened) undo.use(proxy)
  undo.defer(async () => {
    await Promise.all(opened.map((place) => place.server() && place.kill()))
  })
  let inbox: Promise<Inbox> | undefined
  undo.defer(async () => (await inbox)?.close())
  const all = undo.move()
  return {
    store: 'postgres',
    places: opened,
    postgres,
    async look(work) {
      inbox ??= openPostgresInbox(postgres.url, 'command')
      return work(await inbox)
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
