import type { Lease } from '../../event.ts'
import type { PrunePolicy } from '../inbox.ts'
import type { Row } from '../rows.ts'
import type { Statements } from './statements.ts'
import { type AddedRow, claimDue, type EntryValues, insert, prune, type Settlement, settle } from './work.ts'

/** One thing to write, as it crosses threads. The body of an `add` lies from `start` to `end` in the bodies sent along. */
export type Operation =
  | readonly ['add', values: EntryValues, start: number, end: number, leaseMs: number | undefined]
  | readonly ['claim', limit: number, leaseMs: number]
  | readonly ['settle', ...Settlement]
  | readonly ['release', leases: readonly Pick<Lease, 'token' | 'attempt'>[]]
  | readonly ['replay', eventIds: readonly string[]]
  | readonly ['prune', policy: PrunePolicy]
  | readonly ['writeNote', name: string, value: string]
  | readonly ['takeTurn', name: string, forMs: number]
  | readonly ['probe', step: 'fill' | 'empty']

/** What each operation gives. */
export interface Results {
  readonly add: AddedRow | undefined
  readonly claim: { readonly rows: Row[]; readonly heldBack: number }
  readonly settle: boolean
  readonly replay: string[]
  readonly prune: { readonly bodies: number; readonly entries: number }
  readonly takeTurn: boolean
}

/** Does one of them, inside the transaction of its batch. */
export function perform(sql: Statements, owner: string, operation: Operation, bodies: Uint8Array): unknown {
  switch (operation[0]) {
    case 'add': {
      const [, values, start, end, leaseMs] = operation
      return insert(sql, owner, { values, body: bodies.subarray(start, end), leaseMs }) satisfies Results['add']
    }
    case 'claim': {
      const [, limit, leaseMs] = operation
      return claimDue(sql, { owner, limit, leaseMs }) satisfies Results['claim']
    }
    case 'settle': {
      const [, ...settlement] = operation
      return settle(sql, owner, settlement) satisfies Results['settle']
    }
    case 'release':
      for (const { token, attempt } of operation[1]) sql.release.run(Number(token), owner, attempt)
      return
    case 'replay': {
      const now = Date.now()
      const isReplayed = (eventId: string) => sql.replay.run({ event_id: eventId, now }).changes === 1
      return operation[1].filter(isReplayed) satisfies Results['replay']
    }
    case 'prune':
      return prune(sql, operation[1]) satisfies Results['prune']
    case 'writeNote':
      return void sql.writeNote.run({ name: operation[1], value: operation[2] })
    case 'takeTurn': {
      const [, name, forMs] = operation
      const turn = { name: `turn ${name}`, owner, now: Date.now(), for_ms: forMs }
      return (sql.takeTurn.run(turn).changes === 1) satisfies Results['takeTurn']
    }
    case 'probe':
      return void (operation[1] === 'fill' ? sql.fillProbe : sql.emptyProbe).run()
  }
}
