import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'
import type { LogLine } from './log-lines.ts'
import { processEnvironment } from './process-environment.ts'
import { CONNECT_SECRET, SECRET } from './sign.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** Half a second of processor time, and many start at once on a busy machine. */
const LISTENS_WITHIN_MS = 25_000

export interface ServerProcess {
  readonly pid: number
  /** Without the path, such as `http://127.0.0.1:4242`. */
  readonly url: string
  readonly adminUrl: string
  /** Everything it wrote so far, to both streams. */
  text(): string
  lines(): LogLine[]
  kill(signal: NodeJS.Signals): void
  /** Resolves when it has ended. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
}

export interface SpawnOptions {
  /** Where it runs, and keeps `data/inbox.db` unless told otherwise. */
  readonly folder: string
  readonly env?: Readonly<Record<string, string>>
  /** A command and its arguments to run node with, such as `['prlimit', '--fsize=1000000']`. */
  readonly through?: readonly string[]
  /** The program, in place of `src/main.ts`. */
  readonly main?: string
}

/** Starts `node src/main.ts` on free ports, without waiting; nothing of this process's environment but what node needs reaches it. */
export function startServerProcess({ folder, env = {}, through = [], main = MAIN }: SpawnOptions) {
  const [command = process.execPath, ...args] = [...through, process.execPath, main]
  const child = spawn(command, args, {
    cwd: folder,
    env: {
      ...processEnvironment(),
      HOST: '127.0.0.1',
      PORT: '0',
      ADMIN_PORT: '0',
      STRIPE_WEBHOOK_SECRET: SECRET,
      STRIPE_CONNECT_WEBHOOK_SECRET: CONNECT_SECRET,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => {
      text += chunk
    })
  }
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  const isRunning = () => child.exitCode === null && child.signalCode === null
  return { child, exited, isRunning, text: () => text }
}

/** Starts the server and resolves once it listens; rejects when it ends before, or takes too long: then it is ended. */
export async function spawnServer(options: SpawnOptions): Promise<ServerProcess> {
  const { child, exited, isRunning, text } = startServerProcess(options)
  const lines = () =>
    text()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .flatMap(parseLine)
  const findListening = () => {
    if (!isRunning()) throw new Error(`the server ended before it listened:\n${text()}`)
    return lines().find((line) => line.msg === 'listening')
  }
  const listening = await eventually('the server to listen', findListening, LISTENS_WITHIN_MS).catch((error) => {
    child.kill('SIGKILL')
    throw error
  })
  return {
    pid: child.pid ?? -1,
    url: new URL(String(listening.url)).origin,
    adminUrl: String(listening.admin),
    text,
    lines,
    kill: (signal) => void child.kill(signal),
    exited,
  }
}

/** Runs a server that should end by itself, on a fault at its start; one that listens after all is ended. */
export async function startInVain(options: SpawnOptions): Promise<{ code: number | null; text: string }> {
  const attempt = startServerProcess(options)
  const isOver = () => !attempt.isRunning() || attempt.text().includes('"listening"')
  await eventually('the server to end or to listen', isOver, LISTENS_WITHIN_MS).finally(() =>
    attempt.child.kill('SIGKILL'),
  )
  const { code } = await attempt.exited
  return { code, text: attempt.text() }
}

/** The last line may be there in part only. */
function parseLine(line: string): LogLine[] {
  try {
    return [JSON.parse(line)]
  } catch {
    return []
  }
}
