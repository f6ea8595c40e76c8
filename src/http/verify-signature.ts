import Stripe from 'stripe'
import { ReceiverError } from '../errors.ts'

/** A delivery's raw text and what is needed to judge it. */
export interface SignedDelivery {
  /** The body, decoded as UTF-8. */
  readonly text: string
  /** Value of `Stripe-Signature`. */
  readonly header: string | undefined
  readonly secrets: readonly string[]
  readonly toleranceSeconds: number
  readonly now: Date
}

/**
 * Proves that the holder of one of the secrets signed the text within the tolerance, before or after now, and tells which:
 * its position (from 1) and last four characters, as `1:…abcd`. Throws ReceiverError `signature_missing`, `signature_malformed`,
 * `signature_mismatch`, `timestamp_too_old`, `timestamp_in_future` or `secret_not_configured`; its message tells operators the
 * probable cause and the mend. docs.stripe.com/webhooks/signature
 */
export function verifySignature({ text, header, secrets, toleranceSeconds, now }: SignedDelivery): string {
  if (secrets.length === 0) throw refusals.secret_not_configured()
  if (header === undefined || header === '') throw refusals.signature_missing()
  const position = secrets.findIndex((secret) => isSignedWith(secret, text, header))
  const secret = secrets[position]
  if (secret === undefined) throw explainMismatch(header, secrets.length)
  assertStampWithin(toleranceSeconds, parseStamp(header), now)
  return `${position + 1}:…${secret.slice(-4)}`
}

/** The SDK throws errors of several classes over bad headers, and puts body and header in some: none leaves this function. */
function isSignedWith(secret: string, text: string, header: string): boolean {
  try {
    // Tolerance 0: the SDK lets future stamps pass, so both bounds are checked here, in one place.
    return Stripe.webhooks.signature?.verifyHeader(text, header, secret, 0) === true
  } catch {
    return false
  }
}

/** The SDK's own reading: the last `t` counts, and what follows its digits is ignored. */
function parseStamp(header: string): number {
  const stamps = header.split(',').filter((item) => item.startsWith('t='))
  return Number.parseInt(stamps.at(-1)?.slice(2) ?? '', 10)
}

function assertStampWithin(toleranceSeconds: number, stamp: number, now: Date): void {
  const ageSeconds = Math.floor(now.getTime() / 1000) - stamp
  if (ageSeconds <= toleranceSeconds && ageSeconds >= -toleranceSeconds) return
  if (ageSeconds < 0) throw refusals.timestamp_in_future(-ageSeconds, toleranceSeconds)
  throw refusals.timestamp_too_old(ageSeconds, toleranceSeconds)
}

function explainMismatch(header: string, secretCount: number): ReceiverError {
  const schemes = header.split(',').map((item) => item.split('=', 1)[0])
  if (!Number.isFinite(parseStamp(header))) return refusals.signature_malformed('no timestamp (`t=`)')
  if (schemes.includes('v1')) return refusals.signature_mismatch(secretCount)
  return refusals.signature_malformed(
    schemes.includes('v0') ? 'only a `v0` signature, which proves nothing' : 'no `v1` signature',
  )
}

const refusals = {
  secret_not_configured: () =>
    new ReceiverError(
      'secret_not_configured',
      'No secret is set for this route: set STRIPE_CONNECT_WEBHOOK_SECRET, or point the destination at /webhook.',
    ),
  signature_missing: () =>
    new ReceiverError(
      'signature_missing',
      'No Stripe-Signature header: probably not from Stripe; if it was, a proxy in front drops the header, so let it pass.',
    ),
  signature_malformed: (found: string) =>
    new ReceiverError(
      'signature_malformed',
      `Expected a Stripe-Signature header of the form t=…,v1=…, and found ${found}: not from Stripe, or a proxy changed the header.`,
    ),
  signature_mismatch: (secretCount: number) =>
    new ReceiverError(
      'signature_mismatch',
      `None of this route's ${secretCount} secret(s) matched. Is the secret of this very destination configured (that of \`stripe listen\`` +
        ' differs, and so do account and Connect, test and live)? Does a proxy re-write the body? Otherwise it is forged.',
    ),
  timestamp_too_old: (ageSeconds: number, toleranceSeconds: number) =>
    new ReceiverError(
      'timestamp_too_old',
      `Signed ${ageSeconds} s ago, and at most ${toleranceSeconds} s are allowed: a replayed request, a proxy that queued it, or a clock that runs ahead here (check NTP).`,
    ),
  timestamp_in_future: (aheadSeconds: number, toleranceSeconds: number) =>
    new ReceiverError(
      'timestamp_in_future',
      `Signed ${aheadSeconds} s in the future, and at most ${toleranceSeconds} s are allowed: the clock here runs behind (check NTP).`,
    ),
}
