import type { FilterOptions } from './filter.ts'

/** What `events list` was asked for. */
export interface ListOptions extends FilterOptions {
  readonly limit: number
  readonly json?: true
}

/** What `events show` was asked for. */
export interface ShowOptions {
  readonly payload?: true
  readonly json?: true
}
