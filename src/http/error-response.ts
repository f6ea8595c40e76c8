import type { ErrorRequestHandler, Response } from 'express'
import { ReceiverError, type ReceiverErrorCode } from '../errors.ts'
import type { WebhookRoute } from '../event.ts'
import type { Log } from '../log.ts'

interface Answer {
  readonly status: number
  /** The one sentence that callers get. */
  readonly message: string
}

const signatureAnswer = {
  status: 400,
  message: 'The Stripe-Signature header does not prove that Stripe sent this now.',
}
const internalAnswer = { status: 500, message: 'This server has a fault; deliver it again later.' }
const unavailableAnswer = { status: 503, message: 'The delivery cannot be stored now; deliver it again later.' }

const answers: { readonly [code in ReceiverErrorCode]?: Answer } = {
  signature_missing: signatureAnswer,
  signature_malformed: signatureAnswer,
  signature_mismatch: signatureAnswer,
  timestamp_too_old: signatureAnswer,
  timestamp_in_future: signatureAnswer,
  secret_not_configured: { status: 400, message: 'This route has no signing secret configured.' },
  bad_payload: { status: 400, message: 'The body is not a Stripe event.' },
  body_incomplete: { status: 400, message: 'The body ended before its announced length.' },
  body_too_large: { status: 413, message: 'The body is larger than this server takes.' },
  encoding_unsupported: { status: 415, message: 'The body must come as it was signed, without a Content-Encoding.' },
  method_not_allowed: { status: 405, message: 'Deliveries are sent with POST.' },
  not_found: { status: 404, message: 'There is nothing here.' },
  store_unavailable: unavailableAnswer,
  draining: unavailableAnswer,
  overloaded: unavailableAnswer,
}

/** Told of each delivery that was not answered 200, with its ReceiverErrorCode or `internal`. */
export type OnRefused = (route: WebhookRoute, status: number, reason: string) => void

const RETRY_AFTER_SECONDS = 5

const deliveryRoutes = new Map<string, WebhookRoute>([
  ['/webhook', 'account'],
  ['/webhook/connect', 'connect'],
])

/** Last middleware: error → answer by its code, and one log line with the cause. What has no code is a bug, and a 500. */
export function createErrorResponse({
  log,
  onRefused,
}: {
  readonly log: Log
  readonly onRefused?: OnRefused
}): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    if (res.headersSent) return next(error)
    const expected = toReceiverError(error)
    const answer = expected && answers[expected.code]
    const route = deliveryRoutes.get(req.path)
    if (route !== undefined) onRefused?.(route, answer?.status ?? internalAnswer.status, expected?.code ?? 'internal')
    if (expected === undefined || answer === undefined) {
      log.error({ err: error }, 'request failed unexpectedly')
      return sendError(res, 'internal', internalAnswer)
    }
    const facts = { code: expected.code, status: answer.status, path: req.path, reason: expected.message }
    if (expected.code === 'not_found' || expected.code === 'method_not_allowed') log.debug(facts, 'request refused')
    else log.warn(facts, 'delivery refused')
    if (answer.status === 503) res.set('Retry-After', String(RETRY_AFTER_SECONDS))
    sendError(res, expected.code, answer)
  }
}

function sendError(res: Response, code: string, { status, message }: Answer): void {
  res.status(status).json({ error: { code, message } })
}

function toReceiverError(error: unknown): ReceiverError | undefined {
  if (error instanceof ReceiverError) return error
  // Express's router throws this for a path that it can't decode.
  return error instanceof URIError ? new ReceiverError('not_found', 'The path cannot be decoded.') : undefined
}
