import { request } from 'node:http'
import { join } from 'node:path'
import { parseConfig } from '../../src/config.ts'
import type { Handlers } from '../../src/event.ts'
import { createService, type Service, type ServiceOverrides } from '../../src/service.ts'
import { captureLog, type LogLine } from '../support/log-lines.ts'
import { makeScratch } from '../support/scratch.ts'
import { SECRET } from '../support/sign.ts'

export const PASSWORD = 'correct horse battery staple'
export const basic = (name: string, password = PASSWORD) =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`

export interface ConsoleRig {
  readonly service: Service
  /** Of the admin port. */
  readonly url: string
  lines(): LogLine[]
  /** A request that says of itself what a browser would, or anything else; with the right password unless told otherwise. */
  ask(path: string, options?: Asking): Promise<Answered>
  close(): Promise<void>
}

export interface Asking {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Buffer
  readonly text: string
}

/** A whole server with its console on, in a folder of its own; it handles nothing unless it is given handlers. */
export async function openConsole(
  settings: Readonly<Record<string, string>> = {},
  handlers?: Handlers,
  targets?: ServiceOverrides['targets'],
): Promise<ConsoleRig> {
  const scratch = await makeScratch()
  const captured = await captureLog()
  const config = parseConfig({
    STRIPE_WEBHOOK_SECRET: SECRET,
    DATABASE_URL: `file:${join(scratch.path, 'inbox.db')}`,
    HOST: '127.0.0.1',
    PORT: '0',
    ADMIN_PORT: '0',
    ROLE: handlers === undefined ? 'receive' : 'all',
    CONSOLE_PASSWORD: PASSWORD,
    ...settings,
  })
  const service = await createService(config, {
    log: captured.log,
    ...(handlers && { handlers }),
    ...(targets && { targets }),
  })
  return {
    service,
    url: service.adminUrl,
    lines: captured.lines,
    ask: (path, options) => ask(new URL(path, service.adminUrl), options),
    async close() {
      await service.stop()
      await scratch.remove()
    },
  }
}

/** By Node's client, since fetch decides on some headers by itself. */
function ask(url: URL, { method = 'GET', headers = {}, body: sentBody }: Asking = {}): Promise<Answered> {
  const { promise, resolve, reject } = Promise.withResolvers<Answered>()
  const sent = request(url, { method, headers: { authorization: basic('ada'), ...headers } }, async (res) => {
    const body = Buffer.concat(await res.toArray())
    resolve({ status: res.statusCode ?? 0, headers: res.headers, body, text: body.toString('utf8') })
  })
  sent.on('error', reject).end(sentBody)
  return promise
}
