import type { Decision, EntryState } from '../../event.ts'
import type { ActionFacts, ActionState } from '../actions.ts'
import { FIGURES_MS, type Figures } from '../figures.ts'
import type { Pruned, PrunePolicy } from '../inbox.ts'
import { toDecision } from '../rows.ts'
import type { Postgres } from './connection.ts'
import { recordSql } from './record-statements.ts'
import { sql } from './statements.ts'

const PROBE_BYTES = 65_536

/** What operators, retention and the processes among themselves write. Rejects with the driver's errors. */
export function createUpkeep(db: Postgres, owner: string) {
  return {
    async decide(eventId: string, decision: Decision): Promise<Decision | null> {
      const values = [eventId, JSON.stringify(decision)]
      const [row] = await db.query({ name: 'decide', text: sql.decide, values })
      return toDecision(row?.decision)
    },

    async replay(eventIds: readonly string[], states: readonly EntryState[]): Promise<string[]> {
      const [rows = []] = await db.transact([
        { text: sql.replay, values: [eventIds, states] },
        { text: sql.letGo, values: [eventIds] },
      ])
      return rows.map(({ event_id }) => String(event_id))
    },

    async park(eventIds: readonly string[], reason: string): Promise<string[]> {
      const [rows = []] = await db.transact([
        { text: sql.park, values: [eventIds, reason] },
        { text: sql.letGo, values: [eventIds] },
      ])
      return rows.map(({ event_id }) => String(event_id))
    },

    async drop(eventIds: readonly string[], reason: string): Promise<string[]> {
      const rows = await db.query({ text: sql.drop, values: [eventIds, reason] })
      return rows.map(({ event_id }) => String(event_id))
    },

    async prune({ bodiesAfterMs, entriesAfterMs, limit, after = '0:0' }: PrunePolicy): Promise<Pruned> {
      const [bodiesAfter = '0', entriesAfter = '0'] = after.split(':')
      async function step(text: string, afterMs: number, from: string) {
        const [row] = await db.query({ text, values: [afterMs, limit, from, Date.now()] })
        return { dropped: Number(row?.dropped), end: row?.last ?? from, isLast: Number(row?.looked) < limit }
      }
      await db.query({ text: recordSql.dropActions, values: [entriesAfterMs] })
      const bodies = await step(sql.dropBodies, bodiesAfterMs, bodiesAfter)
      const entries = await step(sql.dropEntries, entriesAfterMs, entriesAfter)
      const next = bodies.isLast && entries.isLast ? null : `${bodies.end}:${entries.end}`
      return { bodies: bodies.dropped, entries: entries.dropped, next }
    },

    async writeNote(name: string, value: string): Promise<void> {
      await db.query({ text: recordSql.writeNote, values: [name, value] })
    },

    async takeTurn(name: string, forMs: number): Promise<boolean> {
      return (await db.query({ text: recordSql.takeTurn, values: [`turn ${name}`, owner, forMs] })).length === 1
    },

    async hold(who: string, reason: string | null): Promise<void> {
      await db.query({ text: recordSql.hold, values: [who, reason] })
    },

    async resume(): Promise<void> {
      await db.query({ text: recordSql.resume })
    },

    async recordFigures(figures: Figures): Promise<void> {
      await db.transact([
        { text: recordSql.dropFigures, values: [FIGURES_MS] },
        { text: recordSql.insertFigures, values: [JSON.stringify(figures)] },
      ])
    },

    async recordAction(state: ActionState, facts: ActionFacts): Promise<number> {
      const [row] = await db.query({ text: recordSql.insertAction, values: [state, JSON.stringify(facts)] })
      return Number(row?.id)
    },

    async updateAction(id: number, state: ActionState, facts?: ActionFacts): Promise<boolean> {
      const values = [id, state, facts ? JSON.stringify(facts) : null]
      return (await db.query({ text: recordSql.updateAction, values })).length === 1
    },

    /** Writes and takes it back: enough that a disk without room shows. */
    async probe(): Promise<void> {
      await db.query({ text: sql.fillProbe, values: [Buffer.alloc(PROBE_BYTES)] })
      await db.query({ text: sql.emptyProbe })
    },
  }
}
