import { type Config, type Environment, parseConfig } from '../config.ts'

const UNUSED_SECRET = 'whsec_notusedhere'

/**
 * The configuration of a command that needs these variables alone: the configuration as a whole demands a secret.
 * Throws ReceiverError `config_invalid`.
 */
export function parsePart(environment: Environment): Config {
  const { STRIPE_WEBHOOK_SECRET: secret } = environment
  return parseConfig({ ...environment, STRIPE_WEBHOOK_SECRET: secret?.trim() || UNUSED_SECRET })
}
