import { ReceiverError } from '../errors.ts'
import type { Inbox, OpenOptions } from './inbox.ts'
import type { BackedUp } from './sqlite/backup.ts'

/**
 * The store that DATABASE_URL names: `file:<path>` is the embedded one, `postgres://…` one for many processes. A driver is loaded
 * only when it is chosen. Throws ReceiverError `inbox_in_use`, `inbox_missing` or `inbox_unusable`.
 */
export async function openInbox(
  databaseUrl: string,
  as: 'server' | 'command',
  options: OpenOptions = {},
): Promise<Inbox> {
  if (isPostgres(databaseUrl)) {
    const { openPostgresInbox } = await import('./postgres/inbox.ts')
    return openPostgresInbox(databaseUrl, as, options)
  }
  const { openSqliteInbox } = await import('./sqlite/inbox.ts')
  return openSqliteInbox(pathOf(databaseUrl), as, options)
}

/** Copies an inbox that is a file, as `backUp` says; of a Postgres it throws ReceiverError `inbox_unusable` with what to do. */
export async function backUpInbox(
  databaseUrl: string,
  target: string,
  onProgress: (bytes: number) => void,
): Promise<BackedUp> {
  if (isPostgres(databaseUrl)) {
    throw new ReceiverError(
      'inbox_unusable',
      'DATABASE_URL names a Postgres: back it up by its own means, such as pg_dump.',
    )
  }
  const { backUp } = await import('./sqlite/backup.ts')
  return backUp(pathOf(databaseUrl), target, onProgress)
}

const isPostgres = (databaseUrl: string) => /^postgres(ql)?:/.test(databaseUrl)
const pathOf = (databaseUrl: string) => databaseUrl.replace(/^file:(\/\/)?/, '')
