import { randomUUID } from 'node:crypto'
import type { NewEntry } from '../../src/event.ts'

/** A snapshot entry of a lane of its own, unless told otherwise. */
export function newEntry(overrides: Partial<NewEntry> = {}): NewEntry {
  const eventId = overrides.eventId ?? `evt_${randomUUID()}`
  return {
    eventId,
    type: 'payment_intent.succeeded',
    shape: 'snapshot',
    account: null,
    objectId: `pi_${eventId}`,
    lane: `/pi_${eventId}`,
    snapshotEventId: null,
    livemode: false,
    apiVersion: '2026-10-28.endive',
    createdAt: new Date(1_700_000_000_000),
    route: 'account',
    source: 'delivery',
    secret: '1:…abcd',
    body: Buffer.from(`{"id":"${eventId}"}`),
    state: 'pending',
    reason: null,
    ...overrides,
  }
}
