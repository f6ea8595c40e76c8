import { once } from 'node:events'
import type { DestinationStream } from 'pino'
import sonicBoom from 'sonic-boom'

export interface LogStream extends DestinationStream {
  /** Resolves once all lines are written, or cannot be, with true; with false when a write still hangs after that time. */
  drain(withinMs: number): Promise<boolean>
}

/** Of lines that wait for a slow reader, or for room on the disk; those beyond it are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024

/**
 * Writes to standard output, or another file descriptor, and never makes anyone wait: what cannot be written now is kept for the next
 * try, and once there is too much of that, lines are dropped, counted, and told of as soon as anything can be written again.
 */
export function openLogStream(fd = 1): LogStream {
  const stream = new sonicBoom.SonicBoom({ fd, sync: false, maxLength: MAX_WAITING_BYTES })
  let isIdle = true
  let isFailing = false
  let dropped = 0

  function write(line: string): void {
    isIdle = false
    stream.write(line)
  }

  stream.on('drop', () => {
    dropped += 1
  })
  // Who is to be told of it reads the log.
  stream.on('error', () => {
    isFailing = true
  })
  stream.on('drain', () => {
    isIdle = true
    isFailing = false
    if (dropped === 0) return
    const line = {
      level: 40,
      time: new Date().toISOString(),
      lines: dropped,
      msg: 'log lines were dropped: they could not be written',
    }
    dropped = 0
    write(`${JSON.stringify(line)}\n`)
  })

  return {
    write,
    async drain(withinMs) {
      const timeUp = AbortSignal.timeout(withinMs)
      // A failure rejects, as the time does: both are told by what the listeners above noted.
      while (!isIdle && !isFailing && !timeUp.aborted) {
        await once(stream, 'drain', { signal: timeUp }).catch(() => undefined)
      }
      return isIdle || isFailing
    },
  }
}
