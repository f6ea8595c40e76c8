import { writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

// Loaded into a server with --import. A first SIGUSR2 begins; the next one writes the longest stall since then to STALL_FILE.

const RESOLUTION_MS = 1

// Threads load it too, and their loops may stall as they like.
if (isMainThread) {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  process.on('SIGUSR2', () => {
    const hasBegun = delays.enable()
    if (!hasBegun) writeFileSync(process.env.STALL_FILE ?? 'stall', `${delays.max / 1e6 - RESOLUTION_MS}\n`)
  })
}
