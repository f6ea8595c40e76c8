import { setTimeout as delay } from 'node:timers/promises'
import type { Inbox } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'

export interface Retention {
  /** Resolves once the step under way is done. */
  stop(): Promise<void>
}

const DAY_MS = 86_400_000
/** Stripe lets an event be resent for 30 days: its id must be known for longer, or it would be handled twice. */
const SHORTEST_ID_DAYS = 60
const ROUND_MS = 3_600_000
/** 500 rows take about 5 ms; the pause lets deliveries and claims in between. */
const STEP_LIMIT = 500
const STEP_PAUSE_MS = 50

/** Drops bodies of settled entries after `retentionDays`, and their ids after twice as long, 60 days at least; hourly, in small steps. */
export function startRetention({
  inbox,
  log,
  retentionDays,
}: {
  inbox: Inbox
  log: Log
  retentionDays: number
}): Retention {
  const stopping = new AbortController()
  const policy = {
    bodiesAfterMs: retentionDays * DAY_MS,
    entriesAfterMs: Math.max(retentionDays * 2, SHORTEST_ID_DAYS) * DAY_MS,
    limit: STEP_LIMIT,
  }
  const pause = (ms: number) => delay(ms, undefined, { signal: stopping.signal }).catch(() => undefined)

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const dropped = await pruneAll()
        if (dropped.bodies + dropped.entries > 0) log.info(dropped, 'retention dropped old bodies and entries')
      } catch (error) {
        log.warn({ err: error }, 'retention failed; will try again in an hour')
      }
      await pause(ROUND_MS)
    }
  }

  async function pruneAll(): Promise<{ bodies: number; entries: number }> {
    const total = { bodies: 0, entries: 0 }
    while (!stopping.signal.aborted) {
      const { bodies, entries } = await inbox.prune(policy)
      total.bodies += bodies
      total.entries += entries
      if (bodies + entries === 0) break
      await pause(STEP_PAUSE_MS)
    }
    return total
  }

  const running = run()
  return {
    stop() {
      stopping.abort()
      return running
    },
  }
}
