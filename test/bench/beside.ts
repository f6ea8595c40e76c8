import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { BenchInbox } from './bench-inbox.ts'
import type { Checkout } from './checkout.ts'
import { requestStatus, type ServerProcess } from './server-process.ts'

const NOTHING_FOUND = 'error: no entry matches\n'

export interface Looked {
  readonly checkout: Checkout
  readonly inbox: Pick<BenchInbox, 'url' | 'folder'>
  /** Undefined when it has no metrics. */
  readonly server: ServerProcess | undefined
  /** From one scrape to the next; without a pause unless told. */
  readonly scrapeEveryMs?: number
}

/** Searches, and scrapes the server, again and again until it is disposed of. */
export function lookAllTheTime({ checkout, inbox, server, scrapeEveryMs = 0 }: Looked): AsyncDisposable {
  const looking = new AsyncDisposableStack()
  looking.use(repeat((signal) => search(checkout, inbox, signal)))
  if (server !== undefined) looking.use(repeat((signal) => scrape(server, scrapeEveryMs, signal)))
  return looking
}

/** By the command line, for a type that no entry has: no index serves that, so all entries are read. */
async function search({ folder }: Checkout, { url, folder: cwd }: Looked['inbox'], signal: AbortSignal): Promise<void> {
  const args = [join(folder, 'src/cli.ts'), 'events', 'list', '--type', 'nothing.*']
  const options = { cwd, env: { PATH: process.env.PATH, DATABASE_URL: url }, signal }
  // It ends with 1 when it finds nothing.
  const { stderr } = await promisify(execFile)(process.execPath, args, options).catch((error) => error)
  if (!signal.aborted && stderr !== NOTHING_FOUND) throw new Error(`expected a search to find nothing, got: ${stderr}`)
}

/** The server counts its entries for it. */
async function scrape({ adminPort }: ServerProcess, everyMs: number, signal: AbortSignal): Promise<void> {
  const pause = delay(everyMs)
  const status = await requestStatus(`http://127.0.0.1:${adminPort}/metrics`, signal)
  if (!signal.aborted && status !== 200) throw new Error(`expected /metrics to answer 200, got ${status}`)
  await pause
}

/** Disposing of it rejects with what went wrong meanwhile. */
function repeat(work: (signal: AbortSignal) => Promise<void>): AsyncDisposable {
  const stop = new AbortController()
  const working = (async () => {
    while (!stop.signal.aborted) await work(stop.signal)
  })()
  // It is told to whoever disposes.
  working.catch(() => undefined)
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await working
    },
  }
}
