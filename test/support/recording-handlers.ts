import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { HandlerContext, HandlerMap } from '../../src/event.ts'

/** What an event's `data.object.metadata` asks of its handler. */
export type Behaviour = {
  /** `hold` waits until there is a file RELEASE_FILE, `kill` ends the process by SIGKILL then; left out: neither. */
  readonly behaviour?: 'hold' | 'kill'
  /** Milliseconds between the two steps, as a number in decimal; left out: none. */
  readonly ms?: string
}

/** A line of the record, in the order in which the steps happened, over all processes. */
export interface RecordedStep {
  readonly step: 'started' | 'handled'
  readonly eventId: string
  readonly attempt: number
  readonly pid: number
  /** When, in milliseconds since the epoch, whatever became of the clock since the process began. */
  readonly at: number
}

/** For HANDLERS: appends every step to the file named by RECORD_FILE, which outlives the process as soon as it is written. */
export const handlers = {
  'payment_intent.succeeded': async (event, ctx) => {
    const record = recordOf(event.id, ctx)
    // Deliveries that ask for nothing leave it out.
    const { behaviour, ms }: Behaviour = event.data.object.metadata ?? {}
    record('started')
    if (ms !== undefined) await delay(Number(ms))
    while (behaviour !== undefined && !existsSync(process.env.RELEASE_FILE ?? 'release')) await delay(5)
    if (behaviour === 'kill') process.kill(process.pid, 'SIGKILL')
    record('handled')
  },
  // Its twin, in which nobody can ask for anything.
  'v1.payment_intent.succeeded': async (event, ctx) => {
    const record = recordOf(event.id, ctx)
    record('started')
    await delay(THIN_MS)
    record('handled')
  },
} satisfies HandlerMap

const THIN_MS = 10

function recordOf(eventId: string, { attempt }: HandlerContext): (step: RecordedStep['step']) => void {
  return (step) => {
    const at = Math.round(performance.timeOrigin + performance.now())
    appendFileSync(process.env.RECORD_FILE ?? 'record.txt', `${step} ${eventId} ${attempt} ${process.pid} ${at}\n`)
  }
}

/** The steps from the byte `from` on; none while there is no file. */
export function readRecord(file: string, from = 0): { readonly steps: RecordedStep[]; readonly end: number } {
  const bytes = readBytes(file)
  const lines = bytes.subarray(from).toString('utf8').split('\n').slice(0, -1)
  return { steps: lines.map(parseStep), end: bytes.length }
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch {
    return Buffer.alloc(0)
  }
}

function parseStep(line: string): RecordedStep {
  const [, step, eventId, attempt, pid, at] = /^(started|handled) (\S+) (\d+) (\d+) (\d+)$/.exec(line) ?? []
  if ((step !== 'started' && step !== 'handled') || eventId === undefined) throw new Error(`not a step: ${line}`)
  return { step, eventId, attempt: Number(attempt), pid: Number(pid), at: Number(at) }
}
