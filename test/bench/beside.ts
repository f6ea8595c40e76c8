import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { BenchInbox } from './bench-inbox.ts'
import type { Checkout } from './checkout.ts'
import { repeat } from './repeat.ts'
import { requestStatus, type ServerProcess } from './server-process.ts'

const SEARCH = new URL('./search-process.ts', import.meta.url).pathname

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
  looking.use(startSearching(checkout, inbox))
  if (server !== undefined) looking.use(repeat((signal) => scrape(server, scrapeEveryMs, signal)))
  return looking
}

/** Until it is disposed of, which rejects when it ended by itself. */
function startSearching({ folder }: Checkout, { url, folder: cwd }: Looked['inbox']): AsyncDisposable {
  const child = spawn(process.execPath, [SEARCH, folder, url], { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
  const exited = once(child, 'exit')
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  return {
    async [Symbol.asyncDispose]() {
      process.off('exit', kill)
      const wasRunning = kill()
      await exited
      if (!wasRunning) throw new Error('the search ended by itself')
    },
  }
}

/** The server counts its entries for it. */
async function scrape({ adminPort }: ServerProcess, everyMs: number, signal: AbortSignal): Promise<void> {
  const pause = delay(everyMs)
  const status = await requestStatus(`http://127.0.0.1:${adminPort}/metrics`, signal)
  if (!signal.aborted && status !== 200) throw new Error(`expected /metrics to answer 200, got ${status}`)
  await pause
}
