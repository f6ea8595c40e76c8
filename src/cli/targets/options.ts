import type { ForwardState } from '../../inbox/forwards.ts'

/** What `targets replay` was asked for. */
export interface ReplayOptions {
  readonly state?: readonly ForwardState[]
  readonly since?: number
  readonly dryRun?: true
}

/** What `targets backfill` was asked for. */
export interface BackfillOptions {
  readonly since: number
  readonly dryRun?: true
}
