import type { Inbox, OpenOptions } from './inbox.ts'

/**
 * The store that DATABASE_URL names: `file:<path>` is the embedded one, `postgres://…` one for many processes. A driver is loaded
 * only when it is chosen. Throws ReceiverError `inbox_in_use`, `inbox_missing` or `inbox_unusable`.
 */
export async function openInbox(
  databaseUrl: string,
  as: 'server' | 'command',
  options: OpenOptions = {},
): Promise<Inbox> {
  if (/^postgres(ql)?:/.test(databaseUrl)) {
    const { openPostgresInbox } = await import('./postgres/inbox.ts')
    return openPostgresInbox(databaseUrl, as, options)
  }
  const { openSqliteInbox } = await import('./sqlite/inbox.ts')
  return openSqliteInbox(databaseUrl.replace(/^file:(\/\/)?/, ''), as, options)
}
