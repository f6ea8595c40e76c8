import { createHmac } from 'node:crypto'
import type { LoadedTarget } from './load.ts'

/** What is signed. */
export interface Signing {
  readonly eventId: string
  readonly body: Uint8Array
  /** Of the attempt: receivers refuse what is older than five minutes. */
  readonly at: Date
}

const PREFIX = 'whsec_'

/**
 * The headers by which the target verifies the body, one signature for each secret. Stripe's key is the whole secret
 * (docs.stripe.com/webhooks/signature), that of Standard Webhooks the bytes that stand in base64 behind the prefix
 * (github.com/standard-webhooks/standard-webhooks, spec).
 */
export function signBody(
  { sign, secrets }: Pick<LoadedTarget, 'sign' | 'secrets'>,
  { eventId, body, at }: Signing,
): Record<string, string> {
  const seconds = Math.floor(at.getTime() / 1000)
  if (sign === 'stripe') {
    const signatures = secrets.map((secret) => `v1=${macOf(secret, `${seconds}.`, body).toString('hex')}`)
    return { 'Stripe-Signature': [`t=${seconds}`, ...signatures].join() }
  }
  const keys = secrets.map((secret) => Buffer.from(secret.slice(PREFIX.length), 'base64'))
  const signatures = keys.map((key) => `v1,${macOf(key, `${eventId}.${seconds}.`, body).toString('base64')}`)
  return {
    'webhook-id': eventId,
    'webhook-timestamp': String(seconds),
    'webhook-signature': signatures.join(' '),
  }
}

function macOf(key: string | Buffer, head: string, body: Uint8Array): Buffer {
  return createHmac('sha256', key).update(head).update(body).digest()
}
