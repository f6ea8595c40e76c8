import type { Choice } from '../../operations/filter.ts'

/** What `events list` was asked for. */
export interface ListOptions extends Choice {
  readonly limit: number
  readonly json?: true
}

/** What `events show` was asked for. */
export interface ShowOptions {
  readonly payload?: true
  readonly json?: true
}

/** What `events actions` was asked for. */
export interface ActionsOptions {
  readonly limit: number
  readonly json?: true
}

/** Where `events send` sends one, and how it is signed. */
export interface SendOptions {
  readonly to: URL
  readonly secret: string
  readonly sign: 'stripe' | 'standard'
}

/** How entries are to be changed. */
export interface ChangeOptions {
  readonly dryRun?: true
  /** Without a question. */
  readonly yes?: true
}
