import { describe, expect, it } from 'vitest'
import { ReceiverError } from '../src/errors.ts'
import type { HandlerMap } from '../src/event.ts'
import type { Hold, Inbox } from '../src/inbox/inbox.ts'
import { createMetrics } from '../src/metrics.ts'
import { UNTRIED } from '../src/targets/circuit.ts'
import { newEntry } from './support/new-entry.ts'

const leaseOf = (type: string) => ({
  entry: { ...newEntry({ type }), receivedAt: new Date(Date.now() - 2_000) },
  body: new Uint8Array(),
  attempt: 1,
  handledTwin: null,
  isSuperseded: false,
  isForwarded: false,
  lastFailure: null,
  token: '1',
})

const counts = { pending: 3, running: 1, handled: 7, unhandled: 0, parked: 0, dead: 2 }
const working = {
  counts: async () => counts,
  oldestPendingMs: async () => 4_500,
  held: async (): Promise<Hold | null> => null,
  forwards: {
    counts: async () => [
      { target: 'shop', state: 'pending', forwards: 4, oldestMs: 2_500 },
      { target: 'gone', state: 'pending', forwards: 9, oldestMs: 1 },
    ],
    states: async () => [
      { target: 'shop', state: { ...UNTRIED, hold: { who: 'ann', reason: '', at: 1 } }, version: 1 },
    ],
    // What a scrape reads is all that is here.
  } as unknown as Inbox['forwards'],
}

async function scrape(metrics: ReturnType<typeof createMetrics>, inbox = working): Promise<string[]> {
  return (await metrics.render(inbox)).text.split('\n')
}

describe('metrics', () => {
  it('ask the store once for all who scrape meanwhile', async () => {
    const metrics = createMetrics({})
    const asked = Promise.withResolvers<number | null>()
    let times = 0
    const slow = {
      ...working,
      oldestPendingMs() {
        times += 1
        return asked.promise
      },
    }
    const scrapes = Array.from({ length: 8 }, () => metrics.render(slow))
    asked.resolve(2_000)
    for (const { text } of await Promise.all(scrapes))
      expect(text).toContain('stripe_receiver_oldest_pending_seconds 2')
    await metrics.render(slow)
    expect(times).toBe(2)
  })

  it('tell how each target does that is configured, and none where there are none', async () => {
    const metrics = createMetrics({}, { targets: ['shop', 'books'] })
    metrics.onForwarded('shop', { state: 'dead', error: 'no', status: 422, answer: 'no' }, 20)
    expect(await scrape(metrics)).toEqual(
      expect.arrayContaining([
        'stripe_receiver_forwards{target="shop",state="pending"} 4',
        'stripe_receiver_forwards{target="books",state="dead"} 0',
        'stripe_receiver_oldest_forward_seconds{target="shop"} 2.5',
        'stripe_receiver_target_held{target="shop"} 1',
        'stripe_receiver_target_circuit_open{target="books"} 0',
        'stripe_receiver_forward_duration_seconds_count{target="shop",outcome="dead"} 1',
      ]),
    )
    expect((await scrape(metrics)).join()).toMatch(/forwards\{target="gone",state="\w+"\} [1-9]/)
    expect((await scrape(createMetrics({}))).join()).not.toContain('target')
  })

  it('tell while handling is held', async () => {
    expect(await scrape(createMetrics({}))).toContain('stripe_receiver_held 0')
    const held = { ...working, held: async () => ({ who: 'ann', reason: null, forMs: 1 }) }
    expect(await scrape(createMetrics({}), held)).toContain('stripe_receiver_held 1')
  })

  it('time what comes, from when Stripe made it', async () => {
    const metrics = createMetrics({})
    metrics.onAccepted({ route: 'account', createdAt: new Date(Date.now() - 3_000) }, 'stored')
    metrics.onAccepted({ route: 'connect', createdAt: null }, 'duplicate')
    const lines = await scrape(metrics)
    expect(lines).toContain('stripe_receiver_created_to_stored_seconds_bucket{le="2"} 0')
    expect(lines).toContain('stripe_receiver_created_to_stored_seconds_bucket{le="5"} 1')
    expect(lines).toContain('stripe_receiver_created_to_stored_seconds_count 1')
  })

  it('begin what alerts look at with 0, so that the first count is an increase', async () => {
    const lines = await scrape(createMetrics({}))
    expect(lines).toContain('stripe_receiver_deliveries_total{route="connect",status="503"} 0')
    expect(lines).toContain('stripe_receiver_refusals_total{route="account",reason="signature_mismatch"} 0')
    expect(lines).toContain('stripe_receiver_accepted_total{route="account",result="stored"} 0')
  })

  it('time attempts by type and outcome, and count the dead', async () => {
    const metrics = createMetrics({})
    metrics.onAttemptEnded(leaseOf('payout.failed'), { state: 'handled' }, 30)
    metrics.onAttemptEnded(leaseOf('payout.failed'), { state: 'pending', retryInMs: 1, error: '' }, 30)
    metrics.onAttemptEnded(leaseOf('payout.failed'), { state: 'dead', error: '' }, 30)
    const lines = await scrape(metrics)
    expect(lines).toContain(
      'stripe_receiver_handler_duration_seconds_bucket{le="0.02",type="payout.failed",outcome="handled"} 0',
    )
    expect(lines).toContain(
      'stripe_receiver_handler_duration_seconds_bucket{le="0.1",type="payout.failed",outcome="handled"} 1',
    )
    expect(lines).toContain('stripe_receiver_stored_to_handled_seconds_bucket{le="1"} 0')
    expect(lines).toContain('stripe_receiver_stored_to_handled_seconds_bucket{le="5"} 1')
    expect(lines).toContain('stripe_receiver_dead_total{type="payout.failed"} 1')
  })

  it('call a type that neither the SDK nor the map knows `other`', async () => {
    // A user's module may name a type newer than the SDK.
    const metrics = createMetrics({ 'order.shipped': () => undefined } as HandlerMap)
    for (const type of ['made.up', 'constructor', 'order.shipped'])
      metrics.onAttemptEnded(leaseOf(type), { state: 'handled' }, 1)
    const text = (await scrape(metrics)).join('\n')
    expect(text).toContain('handler_duration_seconds_count{type="other",outcome="handled"} 2')
    expect(text).toContain('handler_duration_seconds_count{type="order.shipped",outcome="handled"} 1')
    expect(text).not.toContain('made.up')
  })

  it('measure commits, and the process', async () => {
    const metrics = createMetrics({})
    metrics.onCommit(12, 2)
    const lines = await scrape(metrics)
    expect(lines).toContain('stripe_receiver_commit_items_bucket{le="8"} 0')
    expect(lines).toContain('stripe_receiver_commit_items_bucket{le="16"} 1')
    expect(lines).toContain('stripe_receiver_commit_duration_seconds_bucket{le="0.003"} 1')
    expect(lines.some((line) => line.startsWith('process_resident_memory_bytes '))).toBe(true)
  })

  it('read the inbox at each scrape, and survive when it does not answer', async () => {
    const metrics = createMetrics({})
    const lines = await scrape(metrics)
    expect(lines).toContain('stripe_receiver_entries{state="dead"} 2')
    expect(lines).toContain('stripe_receiver_oldest_pending_seconds 4.5')
    expect(lines).toContain('stripe_receiver_inbox_up 1')
    const broken = { ...working, counts: () => Promise.reject(new ReceiverError('store_unavailable', 'full')) }
    expect(await scrape(metrics, broken)).toContain('stripe_receiver_inbox_up 0')
  })
})
