import type Stripe from 'stripe'
import { checkSetup, modeOfKey } from '../../destinations/setup.ts'
import { createStripeClients } from '../../stripe/client.ts'
import { readSettings, type Settings } from '../settings.ts'
import { writeFailure } from './failure.ts'

/** Whose destinations a command works on. */
export interface StripeAccount {
  readonly settings: Settings
  readonly client: Stripe
  readonly isLive: boolean
}

/** The account and mode of STRIPE_API_KEY. Undefined, and told on standard error, when there is no such key or it is of the other mode. */
export function openAccount(): StripeAccount | undefined {
  const settings = readSettings()
  const fault = checkSetup({ ...settings, hasSecret: true }).find(({ severity }) => severity === 'fault')
  if (fault !== undefined) writeFailure(fault)
  const { apiKey, apiBase } = settings
  if (apiKey === undefined || fault !== undefined) return undefined
  const client = createStripeClients({ apiKey, apiBase }).clientOf(null)
  return { settings, client, isLive: modeOfKey(apiKey) === 'live' }
}
