import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { RequestHandler, Response } from 'express'
import type { Log } from '../log.ts'
import type { Feed } from './feed.ts'
import { refuse } from './refuse.ts'

export interface Tails {
  /** Where the feed stands now: a tail that begins there gets what comes after it. */
  cursor(): string
  /** A stream of server-sent events, from the cursor of `Last-Event-ID` or of the address on: html.spec.whatwg.org, "Server-sent events". */
  readonly serve: RequestHandler
  /** Ends all of them, and the looking. */
  stop(): void
}

const MAX_TAILS = 5
const EVERY_MS = 1_000
/** Some proxies cut what is silent for longer; and a reader who takes nothing for as long is gone. */
const SILENCE_MS = 15_000

interface Tail {
  readonly res: Response
  /** Of the last line that it was sent, and when that was. */
  sent: number
  sentAt: number
}

/** Sends the feed to all who look, once a second; while nobody does, the store is left in peace. */
export function createTails(feed: Feed, log: Log, everyMs = EVERY_MS, silenceMs = SILENCE_MS): Tails {
  const tails = new Set<Tail>()
  /** Numbers of another process, or of one before this, mean nothing here. */
  const process = randomUUID().slice(0, 8)
  let isLooking = false
  let isStopped = false
  let isAway = false

  async function work(): Promise<void> {
    if (isLooking) return
    isLooking = true
    for (; tails.size > 0; await delay(everyMs, undefined, { ref: false })) {
      await look()
      for (const tail of tails) send(tail)
    }
    isLooking = false
  }

  async function look(): Promise<void> {
    try {
      await feed.look()
      isAway = false
    } catch (error) {
      if (!isAway) log.warn({ err: error }, 'live pages cannot see the inbox; will try again')
      if (!isAway) feed.tell('the inbox does not answer')
      isAway = true
    }
  }

  function send(tail: Tail): void {
    const { res, sent, sentAt } = tail
    const silentMs = performance.now() - sentAt
    if (res.writableNeedDrain) {
      // What waits for it stays with the feed. It comes again when it is still there.
      if (silentMs > silenceMs) res.destroy()
      return
    }
    const { lines, number } = feed.since(sent)
    if (lines.length === 0 && silentMs < silenceMs) return
    res.write(lines.length === 0 ? ':\n\n' : `id: ${process}-${number}\ndata: ${JSON.stringify(lines)}\n\n`)
    tail.sent = number
    tail.sentAt = performance.now()
  }

  return {
    cursor: () => `${process}-${feed.since(Infinity).number}`,
    serve(req, res) {
      // Express takes HEAD for GET.
      if (req.method === 'HEAD') return void res.end()
      if (isStopped) return refuse(res, 503, 'This server is about to end.')
      if (tails.size >= MAX_TAILS) return refuse(res, 429, `Live pages that are open at once: ${MAX_TAILS} at most.`)
      const [from, number] = (req.get('last-event-id') ?? String(req.query.after)).split('-')
      const tail = { res, sent: from === process ? Number(number) || 0 : 0, sentAt: performance.now() }
      // A proxy that buffers would hold lines back.
      res.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' })
      res.write('retry: 2000\n\n')
      tails.add(tail)
      res.on('close', () => tails.delete(tail))
      void work()
    },
    stop() {
      isStopped = true
      for (const { res } of tails) res.end()
      tails.clear()
    },
  }
}
