import { readFileSync } from 'node:fs'
import Stripe from 'stripe'
import type { EventOf, SnapshotType } from '../../src/event.ts'

/** A captured event. */
export function readPayload<T extends SnapshotType>(type: T, file: string): EventOf<T> {
  const text = readFileSync(new URL(`../fixtures/payloads/${file}.json`, import.meta.url), 'utf8')
  const event = Stripe.webhooks.constructEventWithoutVerification(text)
  if (event.type !== type) throw new Error(`Expected ${type} in ${file}, got ${event.type}.`)
  // The line above compared the type.
  return event as EventOf<T>
}
