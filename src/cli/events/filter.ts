import type { Command } from 'commander'
import type { EntryState } from '../../event.ts'
import type { EntryFilter } from '../../inbox/inbox.ts'
import { accountOption, durationOption, statesOption, typeOption } from '../terminal/options.ts'

/** Options that choose entries; what is left out matches everything. */
export interface FilterOptions {
  readonly state?: readonly EntryState[]
  readonly type?: string
  readonly account?: string
  /** In milliseconds. */
  readonly since?: number
}

/** Adds the options that `list`, `replay` and `drop` choose entries by. */
export function addFilterOptions(command: Command): Command {
  return command
    .option('--state <states>', 'in one of these states, separated by commas', statesOption)
    .option('--type <type>', "of this event type; * stands for any characters: 'payment_intent.*'", typeOption)
    .option('--account <account>', 'of this connected account (acct_…)', accountOption)
    .option('--since <duration>', 'received within this time, such as 30m, 2h or 3d', durationOption)
}

export function toFilter({ state, type, account, since }: FilterOptions): EntryFilter {
  return {
    ...(state !== undefined && { states: state }),
    ...(type !== undefined && { type }),
    ...(account !== undefined && { account }),
    ...(since !== undefined && { receivedWithinMs: since }),
  }
}

/** True when nothing was left to choose by: every entry matches. */
export function matchesAll(filter: EntryFilter): boolean {
  return Object.keys(filter).length === 0
}
