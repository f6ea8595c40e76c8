import { readEnvironment } from '../config.ts'
import type { Mode } from '../event/mode.ts'
import { parsePart } from './parse-part.ts'

/** What `doctor` and `destination` need of the configuration. A secret that is not set is for them to report. */
export interface Settings {
  readonly apiKey: string | undefined
  readonly apiBase: URL | undefined
  readonly mode: Mode
  readonly handlersPath: string | undefined
  readonly twins: 'one' | 'both'
  readonly hasSecret: boolean
  readonly hasConnectSecret: boolean
}

/** Throws ReceiverError `config_invalid` for what is set and malformed; the rest of the configuration is not looked at. */
export function readSettings(): Settings {
  const { STRIPE_WEBHOOK_SECRET, STRIPE_CONNECT_WEBHOOK_SECRET, STRIPE_API_KEY, STRIPE_API_BASE, ...environment } =
    readEnvironment()
  const { HANDLERS, STRIPE_MODE, TWINS } = environment
  const config = parsePart({
    STRIPE_WEBHOOK_SECRET,
    STRIPE_CONNECT_WEBHOOK_SECRET,
    STRIPE_API_KEY,
    STRIPE_API_BASE,
    HANDLERS,
    TWINS,
  })
  // By itself: beside the key, one of the other mode would be refused, and that is for the doctor to tell.
  const { mode } = parsePart({ STRIPE_MODE })
  return {
    apiKey: config.stripeApiKey,
    apiBase: config.stripeApiBase,
    mode,
    handlersPath: config.handlersPath,
    twins: config.twins,
    hasSecret: Boolean(STRIPE_WEBHOOK_SECRET?.trim()),
    hasConnectSecret: config.connectWebhookSecrets.length > 0,
  }
}
