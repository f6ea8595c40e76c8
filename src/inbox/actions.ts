export type ActionState = 'running' | 'done' | 'cancelled' | 'failed'

/** What somebody did. */
export interface ActionFacts {
  readonly who: string
  readonly from: 'console' | 'command'
  /** Such as `replay`. */
  readonly verb: string
  /** Which entries it was meant for: a filter, as fields of an address (`state=dead&type=payout.*`), or ids, 20 at most. */
  readonly filter?: string
  readonly eventIds?: readonly string[]
  readonly reason?: string
  /** How many entries that was, how many were changed so far, and how many were left alone. */
  readonly entries?: number
  readonly changed?: number
  readonly leftAlone?: number
  /** Of a change that runs in the server: the newest and oldest event id that it was meant for, and at most so many a second. */
  readonly newest?: string
  readonly oldest?: string
  readonly perSecond?: number
  /** How far it has come: it goes on before this event id. */
  readonly next?: string
  /** Why it failed. */
  readonly error?: string
}

export interface Action {
  readonly id: number
  readonly at: Date
  readonly state: ActionState
  readonly facts: ActionFacts
}
