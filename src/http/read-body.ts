import type { IncomingMessage } from 'node:http'
import type { RequestHandler } from 'express'
import { ReceiverError } from '../errors.ts'

/** Bytes of bodies that all requests together may hold in memory; deliveries beyond it are answered 503. */
const MAX_HELD_BYTES = 64 * 1024 * 1024
/** More that small ones may hold until it is known which of them are requests for an answer. */
const SPARE_BYTES = 16 * 1024 * 1024
const MAX_REQUEST_BYTES = 65_536

export interface BodyReaderOptions {
  readonly maxBodyBytes: number
  readonly maxHeldBytes?: number
  /** Small bodies are read although deliveries hold all that they may: one of them may be a request that cannot come later. */
  readonly sparesRequests?: boolean
}

/** What the reader of bodies knows. */
export interface Intake {
  /** When the head of the request came, on the clock of `performance.now()`. */
  startedAt(req: IncomingMessage): number
  /** Whether more bytes are held than deliveries may hold. */
  isFull(): boolean
}

/** Middleware, and what it knows. */
export type BodyReader = RequestHandler & Intake

/**
 * Reads the bytes as they came, whatever the content type, into `req.body` (a Buffer): they are what Stripe signed. Our own,
 * because no body parser bounds what all requests hold together: what counts is what arrived, so that slow senders hold little.
 * Fails with ReceiverError `body_too_large`, `body_incomplete`, `encoding_unsupported` or `overloaded`.
 */
export function createBodyReader(options: BodyReaderOptions): BodyReader {
  const { maxBodyBytes, maxHeldBytes = MAX_HELD_BYTES, sparesRequests = false } = options
  let heldBytes = 0
  /** What ends the reading of each body that still comes, the oldest first, and beyond how many held bytes it may. */
  const reading = new Map<(error?: ReceiverError) => void, number>()
  const startedAt = new WeakMap<IncomingMessage, number>()

  const read: RequestHandler = (req, res, next) => {
    if (sparesRequests) startedAt.set(req, performance.now())
    const encoding = req.headers['content-encoding'] ?? 'identity'
    if (encoding !== 'identity') return next(new ReceiverError('encoding_unsupported', ENCODED))
    if (Number(req.headers['content-length']) > maxBodyBytes) return next(tooLarge(maxBodyBytes))
    let pieces = createPieces()
    let bodyBytes = 0
    /** Of memory, counted among those of all. */
    let held = 0

    function hold(bytes: number): void {
      heldBytes += bytes - held
      held = bytes
    }

    function finish(error?: ReceiverError): void {
      if (!reading.delete(finish)) return
      if (error === undefined) req.body = pieces.join()
      else {
        // The rest of a refused body flows into nothing, until the request's time limit.
        req.off('data', onData).resume()
        hold(0)
      }
      pieces = createPieces()
      next(error)
    }

    function onData(chunk: Buffer): void {
      bodyBytes += chunk.length
      hold(held + pieces.add(chunk, bodyBytes))
      if (bodyBytes > maxBodyBytes) finish(tooLarge(maxBodyBytes))
      if (bodyBytes > MAX_REQUEST_BYTES && reading.has(finish)) reading.set(finish, maxHeldBytes)
      // Whoever has been sending for longest goes first: else a few who stall would keep everyone out.
      for (const [finishOldest, limit] of reading) {
        if (heldBytes <= maxHeldBytes) return
        if (heldBytes > limit) finishOldest(new ReceiverError('overloaded', OVERLOADED))
      }
    }

    // Of a chunked body it is not known before.
    const isSmall = Number(req.headers['content-length'] ?? 0) <= MAX_REQUEST_BYTES
    reading.set(finish, sparesRequests && isSmall ? maxHeldBytes + SPARE_BYTES : maxHeldBytes)
    req.on('data', onData)
    req.once('end', () => finish())
    req.once('close', () => {
      // Every request closes: only one that ended early is worth an error.
      if (reading.has(finish)) finish(new ReceiverError('body_incomplete', INCOMPLETE))
    })
    res.once('close', () => {
      // Node keeps a request until the next one of its connection.
      req.body = undefined
      hold(0)
    })
  }
  return Object.assign(read, {
    startedAt: (req: IncomingMessage) => startedAt.get(req) ?? performance.now(),
    isFull: () => heldBytes > maxHeldBytes,
  })
}

const SMALL_BYTES = 1_024
const MAX_PACK_BYTES = 65_536

/** Of a body. Small ones are copied together: each would cost 430 bytes beside its own. */
function createPieces() {
  const pieces: Buffer[] = []
  let pack = Buffer.alloc(0)
  let packed = 0

  function closePack(): void {
    if (packed > 0) pieces.push(pack.subarray(0, packed))
    packed = 0
    pack = Buffer.alloc(0)
  }

  return {
    /** Gives how many bytes of memory it took. */
    add(chunk: Buffer, bodyBytes: number): number {
      // Most bodies come in one piece, which is kept as it is.
      if (chunk.length >= SMALL_BYTES || chunk.length === bodyBytes) {
        closePack()
        pieces.push(chunk)
        return chunk.length
      }
      const isFull = packed + chunk.length > pack.length
      if (isFull) {
        closePack()
        pack = Buffer.allocUnsafeSlow(Math.min(Math.max(bodyBytes, SMALL_BYTES), MAX_PACK_BYTES))
      }
      pack.set(chunk, packed)
      packed += chunk.length
      return isFull ? pack.length : 0
    },
    join(): Buffer {
      closePack()
      const [only] = pieces
      return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces)
    },
  }
}

const ENCODED =
  'A Content-Encoding was set: Stripe sends bodies as they are, so a proxy in front compresses, or it is not Stripe.'
const INCOMPLETE = 'The connection ended before the whole body had come.'
/** What operators are told when too much waits to be stored. */
export const OVERLOADED =
  'Deliveries come faster than they can be stored, or many large ones at once; Stripe will deliver again.'

function tooLarge(maxBodyBytes: number): ReceiverError {
  return new ReceiverError(
    'body_too_large',
    `The body has more than ${maxBodyBytes} bytes (MAX_BODY_BYTES); raise it if Stripe sent this.`,
  )
}
