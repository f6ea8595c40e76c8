import type { ForwardState } from '../../inbox/forwards.ts'

/** What `targets replay` and `targets drop` were asked for. */
export interface ChangeOptions {
  readonly state?: readonly ForwardState[]
  readonly since?: number
  readonly dryRun?: true
  readonly yes?: true
}

/** What `targets backfill` was asked for. */
export interface BackfillOptions {
  readonly since: number
  readonly dryRun?: true
  readonly yes?: true
}
