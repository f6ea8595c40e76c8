import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { eventually } from '../../support/eventually.ts'
import { LEASE_MARGIN_MS } from '../../support/short-leases.ts'
import { type ServerProcess, spawnServer, startServerProcess } from '../../support/spawn-server.ts'

const support = (name: string) => new URL(`../../support/${name}.ts`, import.meta.url)
const MAIN = fileURLToPath(support('short-leases'))
const PRELOADS = ['stepped-clock', 'breaking-writer'].map((name) => `--import ${support(name).href}`).join(' ')
/** So few that events wait for a place, too. */
const CONCURRENCY = 4
const HANDLER_TIMEOUT_MS = 300
const HANDLER_OVERRUN_MS = 100
/** How long what a process claimed stays leased. */
export const LEASE_MS = HANDLER_TIMEOUT_MS + HANDLER_OVERRUN_MS + LEASE_MARGIN_MS

/** Where one server process runs, then another: the same settings and files, and a port of its own each time. */
export interface Place {
  /** The process that runs here; undefined while there is none. */
  server(): ServerProcess | undefined
  start(): Promise<ServerProcess>
  /** Ends it by force; gives its id once it is gone. */
  kill(): Promise<number>
  /** Starts one and ends it by force after that time. */
  killAtStart(afterMs: number): Promise<void>
  /** Sets the clock of what runs here, now and later, off by that much; resolves once the process goes by it. */
  stepClock(offsetMs: number): Promise<void>
  clockOffsetMs(): number
  /** Breaks the thread that writes a SQLite inbox. */
  breakWriter(how: 'throw' | 'exit' | 'hang'): void
  /** True until it has ended as it was told; one that hangs does so until `mendWriter`. */
  isWriterBroken(): boolean
  mendWriter(): void
  /** All that the processes here have written. */
  text(): string
}

/** Told of the ends of processes. */
export interface Watch {
  onKilled(pid: number): void
  /** Of one that ended by itself. */
  onDied(pid: number, how: string): void
}

export interface PlaceOptions extends Watch {
  /** Where it runs, and keeps its files. */
  readonly folder: string
  /** Of this place among others in the folder. */
  readonly name: string
  readonly env: Readonly<Record<string, string>>
}

export function createPlace({ folder, name, env, onKilled, onDied }: PlaceOptions): Place {
  const [clockFile, breakFile] = [join(folder, `${name}-clock`), join(folder, `${name}-break`)]
  const seenFile = `${clockFile}.seen`
  const handlers = fileURLToPath(support('recording-handlers'))
  const options = {
    folder,
    main: MAIN,
    env: {
      HANDLERS: handlers,
      WORKER_CONCURRENCY: String(CONCURRENCY),
      HANDLER_TIMEOUT_MS: String(HANDLER_TIMEOUT_MS),
      HANDLER_OVERRUN_MS: String(HANDLER_OVERRUN_MS),
      RECORD_FILE: recordIn(folder),
      CLOCK_FILE: clockFile,
      BREAK_FILE: breakFile,
      NODE_OPTIONS: PRELOADS,
      ...env,
    },
  }
  const texts: (() => string)[] = []
  let server: ServerProcess | undefined
  let clockOffsetMs = 0

  return {
    breakWriter: (how) => writeWhole(breakFile, how),
    isWriterBroken: () => existsSync(breakFile),
    mendWriter: () => rmSync(breakFile),
    server: () => server,
    clockOffsetMs: () => clockOffsetMs,
    text: () => texts.map((text) => text()).join(''),

    async start() {
      const started = await spawnServer(options)
      texts.push(started.text)
      server = started
      void started.exited.then(({ code, signal }) => {
        if (server !== started) return
        server = undefined
        onDied(started.pid, signal ?? `code ${code}`)
      })
      return started
    },

    async kill() {
      const killed = server
      if (killed === undefined) throw new Error('no process runs here that could be killed')
      server = undefined
      killed.kill('SIGKILL')
      await killed.exited
      onKilled(killed.pid)
      return killed.pid
    },

    async killAtStart(afterMs) {
      const { child, exited, text } = startServerProcess(options)
      texts.push(text)
      await delay(afterMs)
      child.kill('SIGKILL')
      await exited
      if (child.pid !== undefined) onKilled(child.pid)
    },

    async stepClock(offsetMs) {
      if (offsetMs === clockOffsetMs) return
      clockOffsetMs = offsetMs
      writeWhole(clockFile, String(offsetMs))
      const isSeen = () => existsSync(seenFile) && readFileSync(seenFile, 'utf8') === String(offsetMs)
      await eventually('the process to see its clock', isSeen)
    },
  }
}

/** Where all places of a folder record what their handlers do. */
export function recordIn(folder: string): string {
  return join(folder, 'record.txt')
}

/** For whoever looks for it, it is there as a whole or not at all. */
function writeWhole(path: string, content: string): void {
  writeFileSync(`${path}.next`, content)
  renameSync(`${path}.next`, path)
}
