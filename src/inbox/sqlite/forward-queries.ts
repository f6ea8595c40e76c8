import type { DatabaseSync } from 'node:sqlite'
import { type ForwardFilter, LOOKED_AT, MAX_CAUSES, MAX_COUNTED, openStates } from '../forwards.ts'
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
    SELECT forward.*, event_id, type FROM forward CROSS JOIN entry USING (seq)
    WHERE target = :target AND seq >= :low AND seq < :high AND (:states IS NULL OR forward.state IN (SELECT value FROM json_each(:states)))
      AND (:reason IS NULL OR forward.reason = :reason)
    ORDER BY seq DESC LIMIT :limit`)
  const findTarget = db.prepare(`
    SELECT target FROM forward WHERE state <> 'delivered' AND state = ? AND target > ? ORDER BY target LIMIT 1`)
  const count = db.prepare(`
    SELECT target, counted.state, forwards, :now - received_at AS oldest_ms
    FROM (SELECT target, state, count(*) AS forwards, min(seq) AS first
          FROM (SELECT seq, target, state FROM forward WHERE state <> 'delivered' AND state = :state AND target = :target LIMIT ${MAX_COUNTED})) AS counted
    JOIN entry ON entry.seq = first`)
  const listCauses = db.prepare(`
    SELECT state, reason, count(*) AS forwards, max(coalesce(settled_at, started_at, due_at)) AS newest_at
    FROM (SELECT * FROM forward WHERE target = ? AND reason IS NOT NULL AND state <> 'dropped' ORDER BY due_at DESC LIMIT ${LOOKED_AT})
    GROUP BY state, reason ORDER BY forwards DESC, newest_at DESC LIMIT ${MAX_CAUSES}`)
  const listLastAttempts = db.prepare(`
    WITH failed AS (
      SELECT * FROM forward_attempt WHERE target = ?1 AND outcome <> 'delivered' ORDER BY ended_at DESC LIMIT ?2
    ), delivered AS (
      SELECT seq FROM forward WHERE seq > (SELECT max(seq) FROM entry) - ${LOOKED_AT} AND target = ?1 AND state = 'delivered'
      ORDER BY seq DESC LIMIT ?2
    )
    SELECT last.*, event_id, type FROM (
      SELECT * FROM failed
      UNION ALL
      SELECT * FROM forward_attempt WHERE seq IN (SELECT seq FROM delivered) AND target = ?1 AND outcome = 'delivered'
    ) AS last JOIN entry USING (seq) ORDER BY ended_at DESC, seq DESC LIMIT ?2`)
  const listStates = db.prepare('SELECT name, state, version FROM target ORDER BY name')

  return {
    forwardsOf: (seq: number): { rows: Row[]; attempts: Row[] } => ({
      rows: listOfEntry.all(seq),
      attempts: listAttempts.all(seq),
    }),

    listForwards(
      { target, states, reason, receivedWithinMs }: ForwardFilter,
      page: { limit: number; before?: string },
    ): Row[] {
      const low = receivedWithinMs === undefined ? 0 : findSeq(Date.now() - receivedWithinMs)
      const high = page.before === undefined ? Number.MAX_SAFE_INTEGER : Number(seqOf.get(page.before)?.seq ?? 0)
      const wanted = { target, states: states ? JSON.stringify(states) : null, reason: reason ?? null }
      return list.all({ ...wanted, low, high, limit: page.limit })
    },

    /** Goes from one state and target to the next in the index, and counts so many of each. */
    countForwards(): Row[] {
      const now = Date.now()
      return openStates.flatMap((state) => {
        const rows: Row[] = []
        for (let after = ''; ; ) {
          const target = findTarget.get(state, after)?.target
          if (typeof target !== 'string') return rows
          rows.push(...count.all({ state, target, now }))
          after = target
        }
      })
    },
    forwardCauses: (target: string): Row[] => listCauses.all(target),
    lastAttempts: (target: string, limit: number): Row[] => listLastAttempts.all(target, limit),
    targetStates: (): Row[] => listStates.all(),
  }
}
