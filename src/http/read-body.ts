import type { RequestHandler } from 'express'
import { ReceiverError } from '../errors.ts'

/** Bytes of bodies that all requests together may hold in memory; deliveries beyond it are answered 503. */
const MAX_HELD_BYTES = 64 * 1024 * 1024

export interface BodyReaderOptions {
  readonly maxBodyBytes: number
  readonly maxHeldBytes?: number
}

/**
 * Reads the bytes as they came, whatever the content type, into `req.body` (a Buffer): they are what Stripe signed. Our own,
 * because no body parser bounds what all requests hold together: what counts is what arrived, so that slow senders hold little.
 * Fails with ReceiverError `body_too_large`, `body_incomplete`, `encoding_unsupported` or `overloaded`.
 */
export function createBodyReader({ maxBodyBytes, maxHeldBytes = MAX_HELD_BYTES }: BodyReaderOptions): RequestHandler {
  let heldBytes = 0
  /** What ends the reading of each body that still comes, the oldest first. */
  const reading = new Set<(error?: ReceiverError) => void>()

  return (req, res, next) => {
    const encoding = req.headers['content-encoding'] ?? 'identity'
    if (encoding !== 'identity') return next(new ReceiverError('encoding_unsupported', ENCODED))
    if (Number(req.headers['content-length']) > maxBodyBytes) return next(tooLarge(maxBodyBytes))
    let body: Buffer = NOTHING
    let bodyBytes = 0

    function finish(error?: ReceiverError): void {
      if (!reading.delete(finish)) return
      if (error === undefined) req.body = body.subarray(0, bodyBytes)
      // The rest of a refused body flows into nothing, until the request's time limit.
      else req.off('data', onData).resume()
      if (error !== undefined) hold(NOTHING)
      next(error)
    }

    function hold(buffer: Buffer): void {
      heldBytes += buffer.length - body.length
      body = buffer
    }

    /** Most bodies come in one piece, which is kept as it is. Many small ones would each cost 430 bytes beside their own. */
    function onData(chunk: Buffer): void {
      const end = bodyBytes + chunk.length
      if (end > maxBodyBytes) {
        finish(tooLarge(maxBodyBytes))
        return
      }
      if (bodyBytes === 0) hold(chunk)
      else {
        if (end > body.length) hold(enlarge(body, Math.min(Math.max(end, 2 * body.length), maxBodyBytes)))
        body.set(chunk, bodyBytes)
      }
      bodyBytes = end
      // Whoever has been sending for longest goes first: else a few who stall would keep everyone out.
      for (const finishOldest of reading) {
        if (heldBytes <= maxHeldBytes) return
        finishOldest(new ReceiverError('overloaded', OVERLOADED))
      }
    }

    reading.add(finish)
    req.on('data', onData)
    req.once('end', () => finish())
    req.once('close', () => {
      // Every request closes: only one that ended early is worth an error.
      if (reading.has(finish)) finish(new ReceiverError('body_incomplete', INCOMPLETE))
    })
    res.once('close', () => hold(NOTHING))
  }
}

const NOTHING: Buffer = Buffer.alloc(0)

function enlarge(buffer: Buffer, bytes: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(bytes)
  larger.set(buffer)
  return larger
}

const ENCODED =
  'A Content-Encoding was set: Stripe sends bodies as they are, so a proxy in front compresses, or it is not Stripe.'
const INCOMPLETE = 'The connection ended before the whole body had come.'
const OVERLOADED =
  'Deliveries come faster than they can be stored, or many large ones at once; Stripe will deliver again.'

function tooLarge(maxBodyBytes: number): ReceiverError {
  return new ReceiverError(
    'body_too_large',
    `The body has more than ${maxBodyBytes} bytes (MAX_BODY_BYTES); raise it if Stripe sent this.`,
  )
}
