import { readFileSync, writeFileSync } from 'node:fs'
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'

const LOOK_EVERY_MS = 5
const SHARED = 'offset of the clock'

/**
 * Loaded into a server with --import, and so into its threads: their clocks are off by as many milliseconds as the file CLOCK_FILE
 * says, all from the same moment on. What they are off by is written to the same path with `.seen` after it.
 */
const file = process.env.CLOCK_FILE ?? 'clock'
const offset = shareOffset()
const realNow = Date.now
Date.now = () => realNow() + (offset[0] ?? 0)
globalThis.Date = new Proxy(Date, {
  construct: (real, given, newTarget) => Reflect.construct(real, given.length === 0 ? [Date.now()] : given, newTarget),
})

function shareOffset(): Float64Array {
  // The main thread's own, which each thread that it starts is given.
  if (!isMainThread) return getEnvironmentData(SHARED) as Float64Array
  const shared = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT))
  setEnvironmentData(SHARED, shared)
  const look = () => {
    const told = Number(readIfThere(file))
    if (told === shared[0]) return
    shared[0] = told
    writeFileSync(`${file}.seen`, String(told))
  }
  look()
  setInterval(look, LOOK_EVERY_MS).unref()
  return shared
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
