import type { ForwardLease, ForwardOutcome } from '../inbox/forwards.ts'
import { judgeAnswer } from './judge-answer.ts'
import type { LoadedTarget } from './load.ts'
import type { Sender, Sent } from './send.ts'
import { signBody } from './sign.ts'

/** How an attempt ended, and what came back where something was sent. */
export interface Attempted {
  readonly outcome: ForwardOutcome
  readonly sent?: Sent
}

export interface SendForwardOptions {
  readonly target: LoadedTarget
  readonly sender: Sender
  readonly maxAttempts: number
  readonly random?: () => number
}

/** Sends one forward, signed anew. Never rejects; `shutdown` cuts it off. */
export async function sendForward(
  { target, sender, maxAttempts, random = Math.random }: SendForwardOptions,
  lease: ForwardLease,
  shutdown: AbortSignal,
): Promise<Attempted> {
  const { attempt, body, isLastLost } = lease
  const none = { status: null, answer: null }
  if (body === null) return { outcome: { state: 'dead', error: 'its body is gone', ...none } }
  // Only what may have ended the process: what was put off at the last attempt has another.
  if (attempt > maxAttempts && isLastLost)
    return { outcome: { state: 'dead', error: `${attempt - 1} attempts (MAX_ATTEMPTS), the last was lost`, ...none } }
  try {
    const sent = await sender.send({ headers: composeHeaders(target, lease, body), body, signal: shutdown })
    return { outcome: judgeAnswer(sent, { target, attempt, maxAttempts, random }), sent }
  } catch {
    // The one way in which it fails.
    const error = 'cut off because the server stopped'
    return { outcome: { state: 'pending', retryInMs: 0, error, ...none } }
  }
}

/** The signature, and what a service may want to know beside the event. Stripe's own signature is not passed on: it is not its secret's. */
export function composeHeaders(
  target: Pick<LoadedTarget, 'sign' | 'secrets'>,
  { entry, attempt, hops }: Pick<ForwardLease, 'entry' | 'attempt' | 'hops'>,
  body: Uint8Array,
): Record<string, string> {
  return {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(body.byteLength),
    'User-Agent': 'stripe-webhook-receiver',
    ...signBody(target, { eventId: entry.eventId, body, at: new Date() }),
    'Stripe-Receiver-Event': entry.eventId,
    'Stripe-Receiver-Attempt': String(attempt),
    ...(entry.account !== null && { 'Stripe-Receiver-Account': entry.account }),
    'Stripe-Receiver-Hops': String(hops),
  }
}
