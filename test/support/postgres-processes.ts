import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { openPostgresInbox } from '../../src/inbox/postgres/inbox.ts'
import { eventually } from './eventually.ts'
import { makeScratch } from './scratch.ts'
import { LEASE_MARGIN_MS } from './short-leases.ts'
import { type ServerProcess, spawnServer } from './spawn-server.ts'

export interface PostgresProcesses {
  /** Starts a server in that role, with the recording handlers and short leases. */
  start(role: 'receive' | 'work' | 'all'): Promise<ServerProcess>
  /** Ends it by force. */
  kill(server: ServerProcess): Promise<void>
  /** Where all of them record their steps. */
  readonly record: string
  /** Opens the inbox as a command does, once a server has made it. */
  open(): Promise<Inbox>
  /** Ends what still runs. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Time limit of an attempt: generous, since a late handler counts as failed. */
const HANDLER_TIMEOUT_MS = 3_000
/** Nothing here goes on after its time limit. */
const HANDLER_OVERRUN_MS = 100
/** How long what a killed process had leased stays leased. */
export const LEASE_MS = HANDLER_TIMEOUT_MS + HANDLER_OVERRUN_MS + LEASE_MARGIN_MS
const SETTLE_WITHIN_MS = 60_000

const pathOf = (module: string): string => fileURLToPath(new URL(module, import.meta.url))

/** Several processes of the real server on one database. */
export async function makePostgresProcesses(databaseUrl: string): Promise<PostgresProcesses> {
  const scratch = await makeScratch()
  const record = join(scratch.path, 'record.txt')
  const servers = new Set<ServerProcess>()
  let inbox: Inbox | undefined

  async function kill(server: ServerProcess): Promise<void> {
    // A paused process ends too.
    server.kill('SIGKILL')
    await server.exited
    servers.delete(server)
  }

  return {
    record,
    kill,
    async start(role) {
      const env = {
        DATABASE_URL: databaseUrl,
        ROLE: role,
        HANDLERS: pathOf('./recording-handlers.ts'),
        HANDLER_TIMEOUT_MS: String(HANDLER_TIMEOUT_MS),
        HANDLER_OVERRUN_MS: String(HANDLER_OVERRUN_MS),
        RECORD_FILE: record,
        RELEASE_FILE: join(scratch.path, 'release'),
      }
      const server = await spawnServer({ folder: scratch.path, env, main: pathOf('./short-leases.ts') })
      servers.add(server)
      return server
    },
    async open() {
      inbox ??= await openPostgresInbox(databaseUrl, 'command')
      return inbox
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...servers].map(kill))
      await inbox?.close()
      await scratch.remove()
    },
  }
}

/** Resolves once nothing waits or runs. */
export async function allSettled(inbox: Inbox): Promise<void> {
  const isDone = async () => {
    const { pending, running } = await inbox.counts().catch(() => ({ pending: 1, running: 1 }))
    return pending + running === 0
  }
  await eventually('everything to settle', isDone, SETTLE_WITHIN_MS)
}
