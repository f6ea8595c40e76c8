import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Checkout } from './checkout.ts'
import { SECRET } from './deliveries.ts'

export interface ServerProcess extends AsyncDisposable {
  readonly pid: number
  readonly port: number
  readonly adminPort: number
  /** From the process's start to its first good answer. */
  readonly readyMs: number
  /** Ends it at once: nothing of it is needed any more. Safe to repeat. */
  kill(): Promise<void>
  /** Lets it end in order. */
  stop(): Promise<void>
}

/** One of the servers that lie here, or the receiver of a checkout. */
export type Program = 'raw-server' | 'docs-sample' | Checkout

const START_TIMEOUT_MS = 15_000
const READY_POLL_MS = 2

/** Starts a server in a process of its own and resolves when it answers. `folder` is its working folder, and holds no `.env`. */
export async function startServer(
  program: Program,
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const [port, adminPort] = await findFreePorts()
  const startedAt = performance.now()
  const child = spawn(process.execPath, argumentsOf(program), {
    cwd: folder,
    // Nothing of the caller's own environment, so that its settings do not reach a measurement.
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: String(port),
      ADMIN_PORT: String(adminPort),
      STRIPE_WEBHOOK_SECRET: SECRET,
      LOG_LEVEL: 'error',
      ...env,
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const exited = once(child, 'exit')
  const kill = createKill(child, exited)
  try {
    await waitUntilReady(child, port, startedAt)
  } catch (error) {
    await kill()
    throw error
  }
  // A process that answers was started.
  return {
    pid: child.pid ?? -1,
    port,
    adminPort,
    readyMs: performance.now() - startedAt,
    kill,
    async stop() {
      child.kill('SIGTERM')
      await exited
    },
    [Symbol.asyncDispose]: kill,
  }
}

/** Runs a receiver once to its orderly end, so that the first one measured finds what Node keeps of compiled files. */
export async function warmUp(checkout: Checkout, folder: string): Promise<void> {
  await using server = await startServer(checkout, folder)
  await requestStatus(`http://127.0.0.1:${server.adminPort}/metrics`)
  await server.stop()
}

/** A receiver has the options that its own `npm start` gives; those that name a file are relative to it. */
function argumentsOf(program: Program): string[] {
  if (typeof program === 'string') return [new URL(`./${program}.ts`, import.meta.url).pathname]
  const { scripts } = JSON.parse(readFileSync(join(program.folder, 'package.json'), 'utf8'))
  const words: string[] = scripts.start.split(' ')
  const options = words
    .filter((word) => word.startsWith('--'))
    .map((word) => word.replace('=./', `=${program.folder}/`))
  return [...options, join(program.folder, 'src/main.ts')]
}

function createKill(child: ChildProcess, exited: Promise<unknown>): () => Promise<void> {
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  return async () => {
    process.off('exit', kill)
    kill()
    await exited
  }
}

/** The receiver says on /readyz whether it takes deliveries; from the others any answer will do. */
async function waitUntilReady(child: ChildProcess, port: number, startedAt: number): Promise<void> {
  for (;;) {
    const status = await requestStatus(`http://127.0.0.1:${port}/readyz`)
    if (status !== undefined && status !== 503) return
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode} before it was ready`)
    if (performance.now() - startedAt > START_TIMEOUT_MS)
      throw new Error(`the server was not ready after ${START_TIMEOUT_MS} ms`)
    await delay(READY_POLL_MS)
  }
}

/** Status that a GET is answered with; undefined when nobody answers, or before the signal. */
export function requestStatus(url: string, signal?: AbortSignal): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>()
  const request = get(url, { agent: false, signal }, (response) => {
    response.resume()
    resolve(response.statusCode)
  })
  request.on('error', () => resolve(undefined))
  return promise
}

/** Free a moment ago: the receiver prints the ones it chose only at level info, which would cost its rate. */
async function findFreePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const
  for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening')
  // A listening TCP server's address is of this form.
  const [first, second] = servers.map((server) => (server.address() as AddressInfo).port)
  for (const server of servers) await once(server.close(), 'close')
  if (first === undefined || second === undefined) throw new Error('no free ports')
  return [first, second]
}
