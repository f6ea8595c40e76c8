import { parseSettings, readEnvironment } from '../config.ts'
import type { Mode } from '../event/mode.ts'
import type { WebhookRoute } from '../event.ts'

/** What `doctor` and `destination` need of the configuration. A secret that is not set is for them to report. */
export interface Settings {
  readonly apiKey: string | undefined
  readonly apiBase: URL | undefined
  readonly mode: Mode
  readonly handlersPath: string | undefined
  readonly answersPath: string | undefined
  readonly targetsPath: string | undefined
  readonly twins: 'one' | 'both'
  readonly hasSecret: boolean
  readonly hasConnectSecret: boolean
  /** Those that are set, by the route that they are for. */
  readonly secrets: Readonly<Record<WebhookRoute, readonly string[]>>
}

const asked = [
  'connectWebhookSecrets',
  'stripeApiKey',
  'stripeApiBase',
  'handlersPath',
  'answersPath',
  'targetsPath',
  'twins',
] as const

/** Throws ReceiverError `config_invalid` for what is set and malformed; the rest of the configuration is not looked at. */
export function readSettings(): Settings {
  const environment = readEnvironment()
  const hasSecret = Boolean(environment.STRIPE_WEBHOOK_SECRET?.trim())
  const config = parseSettings(environment, hasSecret ? ['webhookSecrets', ...asked] : asked)
  // By itself: beside the key, one of the other mode would be refused, and that is for the doctor to tell.
  const { mode } = parseSettings(environment, ['mode'])
  return {
    apiKey: config.stripeApiKey,
    apiBase: config.stripeApiBase,
    mode,
    handlersPath: config.handlersPath,
    answersPath: config.answersPath,
    targetsPath: config.targetsPath,
    twins: config.twins,
    hasSecret,
    hasConnectSecret: config.connectWebhookSecrets.length > 0,
    secrets: { account: hasSecret ? config.webhookSecrets : [], connect: config.connectWebhookSecrets },
  }
}
