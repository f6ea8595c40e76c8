import type { EntryState } from '../../event.ts'
import type { ActionState } from '../actions.ts'
import { FIGURES_MS } from '../figures.ts'
import type { ForwardState, LateForward, Wanted } from '../forwards.ts'
import { HOLD_NOTE, type Pruned, type PrunePolicy } from '../inbox.ts'
import type { Row } from '../rows.ts'
import {
  addForwards,
  claimForwards,
  dropForwards,
  type ForwardSettlement,
  type ForwardValues,
  replayForwards,
  settleForward,
} from './forward-work.ts'
import {
  type AddedRow,
  claimDue,
  type EntryValues,
  insert,
  type LeaseMark,
  park,
  prune,
  replay,
  type Settlement,
  settle,
  type Writing,
} from './work.ts'

/** One thing to write, as it crosses threads. The body of an `add` lies from `start` to `end` in the bodies sent along. */
export type Operation =
  | readonly [
      'add',
      values: EntryValues,
      start: number,
      end: number,
      isToLease: boolean,
      searchable: readonly string[],
      // Left out where there are none: each element costs the threads time.
      forwards?: readonly ForwardValues[],
    ]
  | readonly ['decide', eventId: string, decision: string]
  | readonly ['claim', limit: number]
  | readonly ['settle', ...Settlement]
  | readonly ['release', leases: readonly LeaseMark[]]
  | readonly ['replay', eventIds: readonly string[], states: readonly EntryState[]]
  | readonly ['park', eventIds: readonly string[], reason: string]
  | readonly ['drop', eventIds: readonly string[], reason: string]
  | readonly ['prune', policy: PrunePolicy]
  | readonly ['writeNote', name: string, value: string]
  | readonly ['hold', who: string, reason: string | null]
  | readonly ['resume']
  | readonly ['recordFigures', counted: string]
  | readonly ['recordAction', state: ActionState, facts: string]
  | readonly ['updateAction', id: number, state: ActionState, facts: string | null]
  | readonly ['takeTurn', name: string, forMs: number]
  | readonly ['claimForwards', wanted: readonly Wanted[]]
  | readonly ['settleForward', ...ForwardSettlement]
  | readonly ['addForwards', forwards: readonly LateForward[]]
  | readonly ['replayForwards', target: string, eventIds: readonly string[], states: readonly ForwardState[]]
  | readonly ['hastenForwards', target: string, limit: number]
  | readonly ['dropForwards', target: string, eventIds: readonly string[], states: string, reason: string]
  | readonly ['writeTargetState', target: string, state: string, version: number]

/** What each operation gives. */
export interface Results {
  readonly add: AddedRow | undefined
  /** As it is stored; null when there is no such entry. */
  readonly decide: string | null
  readonly claim: { readonly rows: Row[]; readonly heldBack: number }
  readonly settle: boolean
  readonly replay: string[]
  readonly park: string[]
  readonly drop: string[]
  readonly prune: Pruned
  readonly takeTurn: boolean
  readonly recordAction: number
  readonly updateAction: boolean
  readonly claimForwards: { readonly rows: Row[]; readonly heldBack: number }
  readonly settleForward: boolean
  readonly addForwards: string[]
  readonly replayForwards: string[]
  readonly hastenForwards: number
  readonly dropForwards: string[]
  readonly writeTargetState: boolean
}

/** Does one of them, inside the transaction of its batch. */
export function perform(writing: Writing, operation: Operation, bodies: Uint8Array): unknown {
  const { sql, owner, now } = writing
  const forwarding = { sql: sql.forwards, owner, now }
  switch (operation[0]) {
    case 'add': {
      const [, values, start, end, isToLease, searchable, forwards] = operation
      return insert(writing, {
        values,
        body: bodies.subarray(start, end),
        searchable,
        forwards,
        isToLease,
      }) satisfies Results['add']
    }
    case 'decide': {
      const [, eventId, decision] = operation
      // Text, by its table.
      return (sql.decide.get(eventId, decision, now)?.decision ?? null) as string | null satisfies Results['decide']
    }
    case 'claim':
      return claimDue(writing, operation[1]) satisfies Results['claim']
    case 'settle': {
      const [, ...settlement] = operation
      return settle(writing, settlement) satisfies Results['settle']
    }
    case 'release':
      for (const [seq, replays, attempt] of operation[1]) sql.release.run(seq, owner, replays, attempt, now)
      return
    case 'replay': {
      const [, eventIds, states] = operation
      return eventIds.filter((eventId) => replay(writing, eventId, states)) satisfies Results['replay']
    }
    case 'park': {
      const [, eventIds, reason] = operation
      return eventIds.filter((eventId) => park(writing, eventId, reason)) satisfies Results['park']
    }
    case 'drop': {
      const [, eventIds, reason] = operation
      const isDropped = (eventId: string) => sql.drop.run({ event_id: eventId, reason, now }).changes === 1
      return eventIds.filter(isDropped) satisfies Results['drop']
    }
    case 'prune':
      return prune(writing, operation[1]) satisfies Results['prune']
    case 'writeNote':
      return void sql.writeNote.run({ name: operation[1], value: operation[2] })
    case 'hold': {
      const [, who, reason] = operation
      return void sql.writeNote.run({ name: HOLD_NOTE, value: JSON.stringify({ who, reason, at: now }) })
    }
    case 'resume':
      return void sql.dropNote.run(HOLD_NOTE)
    case 'recordFigures':
      sql.dropFigures.run(now - FIGURES_MS)
      return void sql.insertFigures.run(now, operation[1])
    case 'recordAction': {
      const [, state, facts] = operation
      return Number(sql.insertAction.run(now, state, facts).lastInsertRowid) satisfies Results['recordAction']
    }
    case 'updateAction': {
      const [, id, state, facts] = operation
      return (sql.updateAction.run(id, state, facts).changes === 1) satisfies Results['updateAction']
    }
    case 'takeTurn': {
      const [, name, forMs] = operation
      const turn = { name: `turn ${name}`, owner, now, for_ms: forMs }
      return (sql.takeTurn.run(turn).changes === 1) satisfies Results['takeTurn']
    }
    case 'claimForwards':
      return claimForwards(forwarding, operation[1]) satisfies Results['claimForwards']
    case 'settleForward': {
      const [, ...settlement] = operation
      return settleForward(forwarding, settlement) satisfies Results['settleForward']
    }
    case 'addForwards':
      return addForwards(forwarding, operation[1]) satisfies Results['addForwards']
    case 'hastenForwards': {
      const [, target, limit] = operation
      return Number(sql.forwards.hasten.run(target, now, limit).changes) satisfies Results['hastenForwards']
    }
    case 'dropForwards': {
      const [, target, eventIds, states, reason] = operation
      return dropForwards(forwarding, { target, eventIds, states, reason }) satisfies Results['dropForwards']
    }
    case 'replayForwards': {
      const [, target, eventIds, states] = operation
      return replayForwards(forwarding, target, eventIds, states) satisfies Results['replayForwards']
    }
    case 'writeTargetState': {
      const [, target, state, version] = operation
      return (sql.forwards.writeState.run(target, state, version).changes === 1) satisfies Results['writeTargetState']
    }
  }
}
