import { expect, it } from 'vitest'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { createMetrics } from '../../src/metrics.ts'

const inbox = {
  counts: () => Promise.reject(new Error('not read here')),
  oldestPendingMs: async () => null,
  held: async () => null,
  forwards: {
    counts: () => Promise.reject(new Error('not read here')),
    states: async () => [],
  } as unknown as Inbox['forwards'],
}

async function scrape(metrics: ReturnType<typeof createMetrics>): Promise<string> {
  return (await metrics.render(inbox)).text
}

it('counts what was recovered by type, and tells what is undelivered and when a run last succeeded', async () => {
  const metrics = createMetrics({}, { isReconciling: true })
  const startedAt = Math.floor(Date.now() / 1_000)
  const first = new Map([['payout.failed', { found: 5, missing: 2, added: 2 }]])
  const second = new Map([
    ['payout.failed', { found: 3, missing: 1, added: 1 }],
    ['payout.paid', { found: 1, missing: 0, added: 0 }],
  ])
  metrics.onReconciled({ types: first, undelivered: 5, isComplete: true })
  // Less than every account was due.
  metrics.onReconciled({ types: second, undelivered: 6, isComplete: true })
  const text = await scrape(metrics)
  expect(text).toContain('\nstripe_receiver_recovered_total{type="payout.failed"} 3\n')
  expect(text).not.toContain('type="payout.paid"')
  expect(text).toContain('\nstripe_receiver_undelivered 6\n')
  const [, at] = /\nstripe_receiver_reconcile_last_success_timestamp_seconds ([\d.]+)/.exec(text) ?? []
  expect(Number(at)).toBeGreaterThanOrEqual(startedAt)
})

it('takes a refused run for no success, and counts what it recovered', async () => {
  const metrics = createMetrics({}, { isReconciling: true })
  const types = new Map([['payout.failed', { found: 5, missing: 2, added: 2 }]])
  metrics.onReconciled({ types, undelivered: 5, isComplete: false })
  const text = await scrape(metrics)
  expect(text).toContain('\nstripe_receiver_recovered_total{type="payout.failed"} 2\n')
  expect(text).toContain('\nstripe_receiver_undelivered 5\n')
  expect(text).toContain('\nstripe_receiver_reconcile_last_success_timestamp_seconds 0\n')
})

it('are not there where nothing reconciles, so that an alert on their age does not fire for ever', async () => {
  expect(await scrape(createMetrics({}))).not.toMatch(/reconcile|undelivered|recovered/)
})
