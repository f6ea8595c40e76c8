import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { BenchInbox } from './bench-inbox.ts'
import type { Checkout } from './checkout.ts'
import { requestStatus, type ServerProcess } from './server-process.ts'

const NOTHING_FOUND = 'error: no entry matches\n'

/** Searches for a type that no entry has, by the command line: no index serves that, so all entries are read, again and again. */
export function searchAllTheTime({ folder }: Checkout, { url, folder: cwd }: Pick<BenchInbox, 'url' | 'folder'>) {
  const args = [join(folder, 'src/cli.ts'), 'events', 'list', '--type', 'nothing.*']
  const options = { cwd, env: { PATH: process.env.PATH, DATABASE_URL: url } }
  return repeat(async (signal) => {
    const { stderr } = await promisify(execFile)(process.execPath, args, { ...options, signal }).catch((error) => error)
    if (!signal.aborted && stderr !== NOTHING_FOUND)
      throw new Error(`expected a search to find nothing, got: ${stderr}`)
  })
}

/** Scrapes `/metrics`, for which the server counts its entries; without a pause unless told. */
export function scrapeAllTheTime({ adminPort }: ServerProcess, everyMs = 0) {
  return repeat(async (signal) => {
    const pause = delay(everyMs)
    const status = await requestStatus(`http://127.0.0.1:${adminPort}/metrics`, signal)
    if (!signal.aborted && status !== 200) throw new Error(`expected /metrics to answer 200, got ${status}`)
    await pause
  })
}

/** Works until it is disposed of, and rejects then with what went wrong. */
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
