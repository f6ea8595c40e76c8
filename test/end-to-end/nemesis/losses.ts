import type { Attempt } from '../../../src/event.ts'
import type { RecordedStep } from '../../support/recording-handlers.ts'
import { LEASE_MS } from './place.ts'
import type { Store } from './subject.ts'

/** What the nemesis did that excuses an attempt without a recorded end. */
export interface Losses {
  onKilled(pid: number): void
  /** These processes may not reach the store; to be called with what ends it, when it does. */
  onCutOff(pids: readonly number[]): () => void
  /** Whether an attempt that the store calls lost may be so; `start` is undefined when its handler never ran. */
  excuse(attempt: Attempt, start: RecordedStep | undefined): boolean
}

/** A process that could not reach the store tries again so much later at most. */
const TRIES_AGAIN_WITHIN_MS = 1_500

interface CutOff {
  readonly pids: ReadonlySet<number>
  readonly from: number
  to: number
}

/**
 * On SQLite only the end of its process takes an attempt from it, however long that cannot reach the store; on Postgres also a time
 * without the store that begins within its lease. A claim that nobody was told of is lost without a handler that ran.
 */
export function createLosses(store: Store): Losses {
  const killedAt = new Map<number, number>()
  const cutOffs: CutOff[] = []

  function isCutOff({ startedAt, endedAt }: Attempt, pid: number): boolean {
    const [start, leaseEnd, end] = [startedAt.getTime(), startedAt.getTime() + LEASE_MS, endedAt.getTime()]
    return cutOffs.some(
      ({ pids, from, to }) => pids.has(pid) && from < leaseEnd && start < to + TRIES_AGAIN_WITHIN_MS && from < end,
    )
  }

  return {
    onKilled: (pid) => void killedAt.set(pid, Date.now()),
    onCutOff(pids) {
      const cutOff: CutOff = { pids: new Set(pids), from: Date.now(), to: Number.POSITIVE_INFINITY }
      cutOffs.push(cutOff)
      return () => {
        cutOff.to = Date.now()
      }
    },
    excuse(attempt, start) {
      if (start === undefined) return killedAt.size > 0 || cutOffs.length > 0
      const killed = killedAt.get(start.pid)
      // The instants of a SQLite inbox are those of a clock that is stepped.
      if (store === 'sqlite') return killed !== undefined
      return (killed !== undefined && killed <= attempt.endedAt.getTime()) || isCutOff(attempt, start.pid)
    },
  }
}
