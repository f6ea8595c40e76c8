import { readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { openPostgresInbox } from '../../../src/inbox/postgres/inbox.ts'
import { parsePostgresUrl } from '../../../src/inbox/postgres/url.ts'
import { newEntry } from '../../support/new-entry.ts'
import { type PostgresSchema, planPostgresSchema } from '../../support/postgres-schema.ts'

const migrations = readdirSync(new URL('../../../src/inbox/postgres/migrations/', import.meta.url))

describe('the Postgres schema', () => {
  let schema: PostgresSchema
  beforeEach(() => {
    schema = planPostgresSchema()
  })
  afterEach(() => schema.remove())

  it('is made once by ten processes that start at once on an empty database', async () => {
    const inboxes = await Promise.all(Array.from({ length: 10 }, () => openPostgresInbox(schema.url, 'server')))
    const entry = newEntry()
    const results = await Promise.all(inboxes.map((inbox) => inbox.add(entry)))
    expect(results.filter((result) => result === 'added')).toHaveLength(1)
    expect(await schema.query('SELECT version FROM migration ORDER BY version')).toEqual(
      Array.from(migrations, (_, index) => ({ version: index + 1 })),
    )
    await Promise.all(inboxes.map((inbox) => inbox.close()))
  })

  it('holds everything that belongs to the inbox', async () => {
    await (await openPostgresInbox(schema.url, 'server')).close()
    const tables = await schema.query(
      `SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'r' ORDER BY 1`,
      [schema.name],
    )
    expect(tables.map(({ relname }) => relname)).toEqual([
      'action',
      'attempt',
      'entry',
      'figures',
      'forward',
      'forward_attempt',
      'migration',
      'note',
      'payload',
      'target',
      'value',
      'write_probe',
    ])
  })

  it('is used as it is by a user who may create nothing', async () => {
    await (await openPostgresInbox(schema.url, 'server')).close()
    const user = `${schema.name}_user`
    await schema.query(`
      CREATE ROLE ${user} LOGIN PASSWORD 'modest'; GRANT USAGE ON SCHEMA ${schema.name} TO ${user};
      GRANT ALL ON ALL TABLES IN SCHEMA ${schema.name} TO ${user}; GRANT ALL ON ALL SEQUENCES IN SCHEMA ${schema.name} TO ${user}`)
    const inbox = await openPostgresInbox(withUser(schema.url, user, 'modest'), 'server')
    expect(await inbox.add(newEntry())).toBe('added')
    await inbox.close()
    await schema.query(`DROP OWNED BY ${user}; DROP ROLE ${user}`)
  })

  it('is not made by a command, which says what to do', async () => {
    await expect(openPostgresInbox(schema.url, 'command')).rejects.toMatchObject({
      code: 'inbox_missing',
      message: expect.stringMatching(new RegExp(`${schema.name}.* start the server once`)),
    })
    expect(await schema.query('SELECT to_regnamespace($1) AS found', [schema.name])).toEqual([{ found: null }])
  })

  it('is refused when it is newer than the program', async () => {
    await (await openPostgresInbox(schema.url, 'server')).close()
    await schema.query('INSERT INTO migration (version) VALUES (999)')
    for (const as of ['server', 'command'] as const) {
      await expect(openPostgresInbox(schema.url, as)).rejects.toMatchObject({
        code: 'inbox_unusable',
        message: expect.stringContaining('schema 999'),
      })
    }
  })

  it('is left out when a migration fails', async () => {
    await schema.query(`CREATE SCHEMA ${schema.name}; CREATE TABLE attempt (mine text)`)
    await expect(openPostgresInbox(schema.url, 'server')).rejects.toMatchObject({ code: 'inbox_unusable' })
    expect(await schema.query(`SELECT to_regclass('entry') AS found`)).toEqual([{ found: null }])
  })
})

describe('a Postgres that cannot be used', () => {
  const change = (changes: Partial<URL>) => Object.assign(new URL(inject('postgresUrl')), changes).href

  it.each([
    ['is not there', () => change({ port: '1' }), /ECONNREFUSED/],
    ['is at an unknown host', () => change({ hostname: 'nowhere.invalid' }), /nowhere\.invalid/],
    [
      'refuses the login',
      () => change({ username: 'nobody_here', password: 'very-secret' }),
      /password authentication failed|role "nobody_here" does not exist/,
    ],
    ['has no such database', () => change({ pathname: '/nothing_here' }), /"nothing_here" does not exist/],
    ['does not speak TLS', () => change({ search: '?sslmode=verify-full' }), /SSL|certificate/],
    [
      'shall show a certificate that is not there',
      () => change({ search: '?sslrootcert=/none/ca.pem' }),
      /\/none\/ca\.pem/,
    ],
  ])('stops the start when it %s, and says so without the password', async (_case, makeUrl, cause) => {
    const url = makeUrl()
    const error = await openPostgresInbox(url, 'server').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'inbox_unusable', message: expect.stringMatching(cause) })
    expect(error).toMatchObject({ message: expect.stringContaining('Check DATABASE_URL') })
    // A server may be open to its own machine.
    const password = new URL(url).password || 'no password'
    expect(String(error instanceof Error ? error.stack : error)).not.toContain(password)
  })

  it('stops the start when its database is not in UTF-8, and says what to do', async () => {
    const server = planPostgresSchema()
    const name = `${server.name}_ascii`
    await server.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'`)
    try {
      for (const as of ['server', 'command'] as const) {
        await expect(openPostgresInbox(change({ pathname: `/${name}` }), as)).rejects.toMatchObject({
          code: 'inbox_unusable',
          message: expect.stringContaining(`encoding is SQL_ASCII. Create one with ENCODING 'UTF8'.`),
        })
      }
    } finally {
      await server.query(`DROP DATABASE ${name} WITH (FORCE)`)
    }
  })
})

describe('the URL', () => {
  const parse = (query: string) => parsePostgresUrl(`postgresql://user:secret@db.example.com:6432/shop${query}`)
  const optionsOf = (url: string) => new URL(url).searchParams.get('options')

  it('names the schema as psql would, or leaves it at stripe_inbox', () => {
    expect(parse('').schema).toBe('stripe_inbox')
    expect(parse('?options=-c%20search_path%3Dmy_schema').schema).toBe('my_schema')
    expect(parse('?options=--search_path%3Dmy_schema%20-c%20work_mem%3D8MB').schema).toBe('my_schema')
    for (const bad of ['My', 'a,b', '%22a%22', 'a-b', '']) {
      expect(() => parse(`?options=-c%20search_path%3D${bad}`), bad).toThrow(/lower-case/)
    }
  })

  it('keeps what else it says, and adds what the statements rely on', () => {
    const url = parse('?sslmode=verify-full&options=-c%20work_mem%3D8MB').connectionString(['enable_sort=off'])
    expect(new URL(url).searchParams.get('sslmode')).toBe('verify-full')
    expect(optionsOf(url)).toMatch(
      /^-c work_mem=8MB .*isolation=read\\ committed .*-c enable_sort=off -c search_path=stripe_inbox$/,
    )
  })

  it.each([
    'user:123/SeCrEt@127.0.0.1:5/db',
    'user:123/SeCrEt@127.0.0.1:5',
    'user:123/SeCrEt/more@h/db',
    'user:123?SeCrEt@h/db',
    'user:123#SeCrEt@h/db',
  ])('is refused, untold, where its password is not percent-encoded: %s', (rest) => {
    const parsing = () => parsePostgresUrl(`postgres://${rest}`)
    expect(parsing).toThrow(/percent-encoded/)
    expect(parsing).not.toThrow(/SeCrEt|123/)
  })

  it('may have them percent-encoded, and no database', () => {
    expect(parsePostgresUrl('postgres://u%40x:a%2Fb%3F%23%40c@h/db?user=a@b').place).toBe(
      'schema stripe_inbox of db at h',
    )
    for (const url of ['postgres://u:p@h', 'postgres://u:p@h/'])
      expect(parsePostgresUrl(url).place).toBe('schema stripe_inbox of the default database at h')
  })

  it('is spoken of without user and password', () => {
    expect(parse('').place).toBe('schema stripe_inbox of shop at db.example.com:6432')
  })
})

function withUser(url: string, username: string, password: string): string {
  return Object.assign(new URL(url), { username, password }).href
}
