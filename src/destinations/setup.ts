import type { Mode } from '../event/mode.ts'
import type { Finding } from './finding.ts'

/** This side's configuration, as far as it can be right or wrong by itself. */
export interface Setup {
  readonly apiKey: string | undefined
  readonly mode: Mode
  readonly hasSecret: boolean
}

/** Which mode a key is for. */
export function modeOfKey(apiKey: string): 'live' | 'test' {
  return /^([sr]k|sk_org)_live_/.test(apiKey) ? 'live' : 'test'
}

/** Checks what needs no request to Stripe. */
export function checkSetup({ apiKey, mode, hasSecret }: Setup): Finding[] {
  const findings = [checkKey(apiKey, mode)]
  if (!hasSecret) {
    findings.push({
      severity: 'fault',
      check: 'secret',
      message: 'STRIPE_WEBHOOK_SECRET is not set: the server does not start',
      mend: 'set it in .env to the signing secret of the destination at /webhook, which Workbench shows',
    })
  }
  return findings
}

function checkKey(apiKey: string | undefined, mode: Mode): Finding {
  if (apiKey === undefined) {
    return {
      severity: 'fault',
      check: 'api_key',
      message: "STRIPE_API_KEY is not set: Stripe's side cannot be looked at, and handlers cannot call Stripe",
      mend: 'set it in .env to a restricted key with "Webhook Endpoints and Event Destinations: Read", or a secret key',
    }
  }
  const keyMode = modeOfKey(apiKey)
  if (mode !== 'any' && mode !== keyMode) {
    return {
      severity: 'fault',
      check: 'api_key',
      message: `STRIPE_API_KEY is a ${keyMode} mode key, and STRIPE_MODE is ${mode}: the server does not start`,
      mend: `set STRIPE_API_KEY to a ${mode} mode key, or STRIPE_MODE to ${keyMode}`,
    }
  }
  const message = `STRIPE_API_KEY is a ${keyMode} mode key: what follows is about ${keyMode} mode only`
  return { severity: 'ok', check: 'api_key', message }
}

const MAX_CLOCK_MS = 30_000

/** Checks how far this machine's clock is ahead of Stripe's; null when it could not be told. */
export function checkClock(aheadMs: number | null): Finding[] {
  if (aheadMs === null) return []
  if (Math.abs(aheadMs) <= MAX_CLOCK_MS) {
    return [{ severity: 'ok', check: 'clock', message: "this clock is within 30 s of Stripe's" }]
  }
  const seconds = Math.round(Math.abs(aheadMs) / 1_000)
  const direction = aheadMs > 0 ? 'ahead of' : 'behind'
  return [
    {
      severity: 'fault',
      check: 'clock',
      message: `this clock is ${seconds} s ${direction} Stripe's: deliveries are refused once it is SIGNATURE_TOLERANCE_SECONDS off`,
      mend: "synchronise this machine's clock (NTP), for instance with `timedatectl set-ntp true`",
    },
  ]
}
