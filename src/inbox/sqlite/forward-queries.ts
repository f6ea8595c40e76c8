import type { DatabaseSync } from 'node:sqlite'
import type { ForwardFilter } from '../forwards.ts'
import type { Row } from '../rows.ts'
import { prepareSeqSearch } from './seq.ts'

/** Every question about forwards that only reads; rows as the driver gives them. */
export function prepareForwardQueries(db: DatabaseSync) {
  const findSeq = prepareSeqSearch(db)
  const seqOf = db.prepare('SELECT seq FROM entry WHERE event_id = ?')
  const listOfEntry = db.prepare(`
    SELECT forward.*, event_id, type FROM forward JOIN entry USING (seq) WHERE seq = ? ORDER BY target`)
  const listAttempts = db.prepare('SELECT * FROM forward_attempt WHERE seq = ? ORDER BY target, replay, number')
  const list = db.prepare(`
    SELECT forward.*, event_id, type FROM forward JOIN entry USING (seq)
    WHERE target = :target AND seq >= :low AND seq < :high AND (:states IS NULL OR forward.state IN (SELECT value FROM json_each(:states)))
    ORDER BY seq DESC LIMIT :limit`)
  const count = db.prepare(`
    SELECT target, state, count(*) AS forwards, :now - min(iif(ready, due_at, NULL)) AS oldest_ms FROM forward
    WHERE state <> 'delivered' GROUP BY state, target`)
  const listStates = db.prepare('SELECT name, state, version FROM target ORDER BY name')

  return {
    forwardsOf: (seq: number): { rows: Row[]; attempts: Row[] } => ({
      rows: listOfEntry.all(seq),
      attempts: listAttempts.all(seq),
    }),

    listForwards({ target, states, receivedWithinMs }: ForwardFilter, page: { limit: number; before?: string }): Row[] {
      const low = receivedWithinMs === undefined ? 0 : findSeq(Date.now() - receivedWithinMs)
      const high = page.before === undefined ? Number.MAX_SAFE_INTEGER : Number(seqOf.get(page.before)?.seq ?? 0)
      return list.all({ target, low, high, states: states ? JSON.stringify(states) : null, limit: page.limit })
    },

    countForwards: (): Row[] => count.all({ now: Date.now() }),
    targetStates: (): Row[] => listStates.all().map((row) => ({ ...row, state: JSON.parse(String(row.state)) })),
  }
}
