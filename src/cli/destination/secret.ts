import type { WebhookRoute } from '../../event.ts'
import type { Settings } from '../settings.ts'

/** Where a new secret goes. */
export interface SecretLine {
  /** For `.env`: the new secret before those that are set. On a terminal `<existing>` stands for these. */
  readonly line: string
  /** What to do with it, without a secret. */
  readonly advice: string
}

/** The line for a new signing secret of that route. */
export function describeSecret(
  secret: string,
  route: WebhookRoute,
  { secrets }: Pick<Settings, 'secrets'>,
): SecretLine {
  const name = nameOf(route)
  const existing = secrets[route]
  // Those that are set go into a file, and not on a screen.
  const others = process.stdout.isTTY && existing.length > 0 ? ['<existing>'] : existing
  return {
    line: `${name}=${[secret, ...others].join(',')}`,
    advice: `${adviceOn(name, others)}; then restart the server.`,
  }
}

/** What to do when Stripe created a destination of that route and did not tell its secret. */
export function describeUntold(route: WebhookRoute): string {
  return `Stripe did not tell its signing secret: copy it from Workbench to ${nameOf(route)}`
}

function nameOf(route: WebhookRoute): string {
  return route === 'connect' ? 'STRIPE_CONNECT_WEBHOOK_SECRET' : 'STRIPE_WEBHOOK_SECRET'
}

function adviceOn(name: string, others: readonly string[]): string {
  if (others.length === 0) return 'Put this line into .env'
  if (others[0] === '<existing>')
    return `${name} is set already: put the new secret in front of what it holds, in place of <existing>, so that both are taken`
  return `${name} is set already: in .env this line takes its place, or goes after it, so that both secrets are taken`
}
