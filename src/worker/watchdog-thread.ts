import { write } from 'node:fs'
import { workerData } from 'node:worker_threads'

export interface WatchdogData {
  /** Counts up with each second in which the event loop turned. */
  readonly beats: Int32Array
  /** Id and type of each event that is worked on, a space between, ended by a zero; a place is free when it begins with one. */
  readonly names: Uint8Array
  /** Of each place. */
  readonly nameBytes: number
  readonly limitMs: number
  readonly beatMs: number
  readonly isSilent: boolean
}

const LAST_LINE_MS = 500

// Who starts this thread gives that.
const { beats, names, nameBytes, limitMs, beatMs, isSilent } = workerData as WatchdogData
let last = Atomics.load(beats, 0)
let missed = 0

// Counted in looks, not by the clock: a process that was stopped and goes on has missed none.
setInterval(() => {
  const now = Atomics.load(beats, 0)
  missed = now === last ? missed + 1 : 0
  last = now
  if (missed * beatMs < limitMs) return
  if (isSilent) end()
  else tell()
}, beatMs)

/** Nothing less ends a thread that runs. */
function end(): void {
  process.kill(process.pid, 'SIGKILL')
}

/** One line as the logger's, which is in the thread that stands still. */
function tell(): void {
  const events = readNames()
  const [only] = events
  const facts = events.length === 1 ? only : { events }
  const msg =
    'the event loop has stood still for too long: a handler or another function of yours does not return to it; the process ends, and its supervisor starts it again'
  const line = { level: 60, time: new Date().toISOString(), ...facts, limitMs, msg }
  // Whether or not anyone reads it.
  write(1, `${JSON.stringify(line)}\n`, end)
  setTimeout(end, LAST_LINE_MS)
}

function readNames(): { readonly eventId: string; readonly type: string }[] {
  const bytes = Buffer.from(names)
  const starts = Array.from({ length: bytes.length / nameBytes }, (_, index) => index * nameBytes)
  return starts
    .filter((start) => bytes[start] !== 0)
    .map((start) => {
      const [eventId = '', type = ''] = bytes.toString('latin1', start, bytes.indexOf(0, start)).split(' ')
      return { eventId, type }
    })
}
