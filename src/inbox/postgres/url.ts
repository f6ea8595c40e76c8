import { ReceiverError } from '../../errors.ts'

/** What DATABASE_URL says, and how to speak of it. */
export interface PostgresTarget {
  /** With these settings of the server's, such as `jit=off`, for the connection. Holds the password: never log it. */
  connectionString(settings: readonly string[]): string
  readonly schema: string
  /** Without user and password, for messages. */
  readonly place: string
}

const DEFAULT_SCHEMA = 'stripe_inbox'
const SEARCH_PATH = /(?:^|\s)(?:-c\s*|--)search_path=(\S*)/g

/**
 * A `postgres://` or `postgresql://` URL, with the parameters that libpq knows: `?sslmode=verify-full&sslrootcert=ca.pem` proves
 * who the server is. The schema is `stripe_inbox`, or another one with `?options=-c%20search_path%3Dmy_schema`, which psql heeds
 * too. Throws ReceiverError `inbox_unusable`.
 */
export function parsePostgresUrl(databaseUrl: string): PostgresTarget {
  const url = URL.parse(databaseUrl)
  if (url === null)
    throw new ReceiverError('inbox_unusable', 'DATABASE_URL: expected postgres://user:password@host/db.')
  // Part of a password, and nothing of it may be told.
  if (/.[/@]/.test(url.pathname) || /^\?[^=]*@/.test(url.search) || url.hash !== '')
    throw new ReceiverError(
      'inbox_unusable',
      'DATABASE_URL: expected postgres://user:password@host/db, with each / ? # and @ in user and password percent-encoded, as %2F %3F %23 and %40.',
    )
  const given = url.searchParams.get('options') ?? ''
  const schema = [...given.matchAll(SEARCH_PATH)].at(-1)?.[1] ?? DEFAULT_SCHEMA
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new ReceiverError(
      'inbox_unusable',
      'DATABASE_URL: expected one schema in options (-c search_path=…), of lower-case letters, digits and underscores.',
    )
  }
  function connectionString(settings: readonly string[]): string {
    const set = [...ALWAYS, ...settings, `search_path=${schema}`].map(
      (setting) => `-c ${setting.replaceAll(' ', '\\ ')}`,
    )
    const complete = new URL(databaseUrl)
    complete.searchParams.set('options', [given, ...set].join(' ').trim())
    return complete.href
  }
  const database = url.pathname.slice(1) || 'the default database'
  return { connectionString, schema, place: `schema ${schema} of ${database} at ${url.host || 'this host'}` }
}

/** What the statements rely on, whatever the server or the role has as its default. */
const ALWAYS = [
  'default_transaction_isolation=read committed',
  'datestyle=ISO',
  'jit=off',
  // A process whose host vanishes inside a transaction holds its locks, and a lane, for no longer than this; its statements go out
  // together, so none is idle for long. By default it takes 2 h 11 min. The last four do nothing on a Unix socket.
  'idle_in_transaction_session_timeout=10s',
  'tcp_keepalives_idle=5',
  'tcp_keepalives_interval=5',
  'tcp_keepalives_count=3',
  'tcp_user_timeout=20s',
]
