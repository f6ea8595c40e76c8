import { existsSync, readFileSync, rmSync } from 'node:fs'
import { isMainThread, workerData } from 'node:worker_threads'

const LOOK_EVERY_MS = 10

/**
 * Loaded into a server with --import, and so into its threads: in the one that writes the inbox, does what the file BREAK_FILE says
 * once it is there: `throw`, `exit`, or `hang` until the file is gone.
 */
if (!isMainThread && workerData?.owner !== undefined) {
  const file = process.env.BREAK_FILE ?? 'break'
  const timer = setInterval(() => {
    if (!existsSync(file)) return
    const how = readFileSync(file, 'utf8')
    // As a disk that does not answer: this thread does nothing else meanwhile.
    if (how === 'hang')
      while (existsSync(file)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_EVERY_MS)
    if (how === 'hang') return
    rmSync(file)
    if (how === 'exit') process.exit(3)
    throw new Error('broken by a test')
  }, LOOK_EVERY_MS)
  timer.unref()
}
