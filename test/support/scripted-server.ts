import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { EntryDetail, Inbox } from '../../src/inbox/inbox.ts'
import { openSqliteInbox } from '../../src/inbox/sqlite/inbox.ts'
import { makeScratch } from './scratch.ts'
import type { Script } from './scripted-handlers.ts'
import { snapshotJson } from './sign.ts'
import { type ServerProcess, spawnServer } from './spawn-server.ts'

/** A line that a scripted handler wrote. */
export interface Recorded {
  readonly what: 'start' | 'end'
  readonly eventId: string
  readonly lane: string
  readonly attempt: number
}

export interface ScriptedServer extends ServerProcess {
  readonly folder: string
  readonly port: number
  /** What the handlers wrote so far, in order. */
  recorded(): Recorded[]
  /** Reads the inbox beside the server, or after it. */
  withInbox<T>(read: (inbox: Inbox) => Promise<T>): Promise<T>
  find(eventId: string): Promise<EntryDetail>
  /** Ends it by force if it still runs, and removes its folder. */
  remove(): Promise<void>
}

/** The real server with the scripted handlers, in a folder of its own or that of an earlier one. */
export async function startScripted(
  env: Readonly<Record<string, string>> = {},
  { folder }: { folder?: string } = {},
): Promise<ScriptedServer> {
  const scratch = folder === undefined ? await makeScratch() : { path: folder, remove: async () => undefined }
  const record = join(scratch.path, 'record.txt')
  const server = await spawnServer({
    folder: scratch.path,
    env: { HANDLERS: fileURLToPath(new URL('scripted-handlers.ts', import.meta.url)), RECORD_FILE: record, ...env },
  })
  async function withInbox<T>(read: (inbox: Inbox) => Promise<T>): Promise<T> {
    const inbox = await openSqliteInbox(join(scratch.path, 'data', 'inbox.db'), 'command')
    try {
      return await read(inbox)
    } finally {
      await inbox.close()
    }
  }
  return {
    ...server,
    folder: scratch.path,
    port: Number(new URL(server.url).port),
    recorded: () => (existsSync(record) ? readFileSync(record, 'utf8').split('\n').slice(0, -1).map(parseLine) : []),
    withInbox,
    async find(eventId) {
      const found = await withInbox((inbox) => inbox.get(eventId))
      if (found === undefined) throw new Error(`expected ${eventId} in the inbox`)
      return found
    },
    async remove() {
      server.kill('SIGKILL')
      await server.exited
      await scratch.remove()
    },
  }
}

const parseLine = (line: string): Recorded => JSON.parse(line)

/** JSON of an event for the scripted handler, about an object of its own unless told otherwise. */
export function scriptedJson(
  script: Script,
  { id, objectId, ...overrides }: { id: string; objectId?: string; [field: string]: unknown },
): string {
  const object = { id: objectId ?? `po_${id}`, object: 'payout', script }
  return snapshotJson({ id, type: 'payout.failed', data: { object }, ...overrides })
}
