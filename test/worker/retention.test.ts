import { afterEach, describe, expect, it } from 'vitest'
import type { Inbox, PrunePolicy } from '../../src/inbox/inbox.ts'
import { type Retention, startRetention } from '../../src/worker/retention.ts'
import { eventually } from '../support/eventually.ts'
import { captureLog } from '../support/log-lines.ts'

const DAY_MS = 86_400_000

let retention: Retention | undefined
afterEach(() => retention?.stop())

/** An inbox that only prunes, with `steps` full steps to do. */
function pruning(steps: number, policies: PrunePolicy[]): Inbox {
  const prune = async (policy: PrunePolicy) => {
    policies.push(policy)
    return policies.length <= steps ? { bodies: policy.limit, entries: 1 } : { bodies: 0, entries: 0 }
  }
  // Retention calls nothing else.
  return { prune } as unknown as Inbox
}

describe('retention', () => {
  it.each([
    [30, 30, 60],
    [7, 7, 60],
    [90, 90, 180],
  ])('with RETENTION_DAYS %i drops bodies after %i days and ids after %i', async (retentionDays, bodyDays, idDays) => {
    const policies: PrunePolicy[] = []
    const { log } = await captureLog()
    retention = startRetention({ inbox: pruning(0, policies), log, retentionDays })
    await eventually('a step', () => policies.length > 0)
    expect(policies[0]).toMatchObject({ bodiesAfterMs: bodyDays * DAY_MS, entriesAfterMs: idDays * DAY_MS })
  })

  it('repeats small steps until nothing is left, and says what it dropped', async () => {
    const policies: PrunePolicy[] = []
    const { log, lines } = await captureLog()
    retention = startRetention({ inbox: pruning(2, policies), log, retentionDays: 30 })
    const [line] = await eventually('the end of a round', () => lines().length > 0 && lines())
    const limit = policies[0]?.limit ?? 0
    expect(limit).toBeLessThanOrEqual(1_000)
    expect(line).toMatchObject({ bodies: 2 * limit, entries: 2 })
    expect(policies).toHaveLength(3)
  })

  it('goes on after a failure of the store, and stops when told', async () => {
    const { log, lines } = await captureLog()
    const inbox = { prune: () => Promise.reject(new Error('locked')) } as unknown as Inbox
    retention = startRetention({ inbox, log, retentionDays: 30 })
    const [line] = await eventually('the failure', () => lines().length > 0 && lines())
    expect(line).toMatchObject({ level: 40, err: { message: 'locked' } })
    await retention.stop()
  })
})
