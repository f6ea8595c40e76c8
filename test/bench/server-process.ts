import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { SECRET } from './deliveries.ts'

export interface ServerProcess {
  readonly port: number
  /** From the process's start to its first good answer. */
  readonly readyMs: number
  /** Most memory that was resident so far; undefined where there is no /proc. */
  peakMemoryBytes(): number | undefined
  /** At once: nothing of it is needed any more. */
  kill(): Promise<void>
}

export type ServerName = 'raw-server' | 'docs-sample' | 'receiver'

/** Node's options of `npm start`, which the image has too. */
const { scripts: npmScripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
const startOptions: string[] = npmScripts.start.split(' ').filter((word: string) => word.startsWith('--'))

const scripts: Readonly<Record<ServerName, URL>> = {
  'raw-server': new URL('./raw-server.ts', import.meta.url),
  'docs-sample': new URL('./docs-sample.ts', import.meta.url),
  receiver: new URL('../../src/main.ts', import.meta.url),
}

const START_TIMEOUT_MS = 15_000
const READY_POLL_MS = 2

/** Starts a server in a process of its own and resolves when it answers. `folder` is its working folder, and holds no `.env`. */
export async function startServer(
  name: ServerName,
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const [port, adminPort] = await findFreePorts()
  const startedAt = performance.now()
  const child = spawn(process.execPath, [...(name === 'receiver' ? startOptions : []), scripts[name].pathname], {
    cwd: folder,
    // Nothing of the caller's own environment, so that its settings do not reach a measurement.
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: String(port),
      ADMIN_PORT: String(adminPort),
      STRIPE_WEBHOOK_SECRET: SECRET,
      LOG_LEVEL: 'warn',
      ...env,
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const kill = createKill(child)
  try {
    await waitUntilReady(child, port, startedAt)
  } catch (error) {
    await kill()
    throw error
  }
  const readyMs = performance.now() - startedAt
  return { port, readyMs, peakMemoryBytes: () => readPeakMemory(child.pid), kill }
}

function createKill(child: ChildProcess): () => Promise<void> {
  const exited = once(child, 'exit')
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

/** Undefined when nobody answers. */
function requestStatus(url: string): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>()
  const request = get(url, { agent: false }, (response) => {
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

/** VmHWM: the kernel's own high-water mark, so that nothing has to be sampled. man7.org/linux/man-pages/man5/proc_pid_status.5.html */
function readPeakMemory(pid: number | undefined): number | undefined {
  const file = `/proc/${pid}/status`
  const kilobytes = existsSync(file) ? /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024
}
