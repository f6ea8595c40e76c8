import type { Mode } from '../event/mode.ts'
import type { Hold, Inbox } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'
import type { NamedTarget } from '../operations/survey-targets.ts'
import type { AssetName } from './assets.ts'
import type { Html } from './html.ts'

/** What every page is made from. */
export interface Context {
  readonly inbox: Inbox
  readonly log: Log
  readonly mode: Mode
  readonly isReadOnly: boolean
  readonly payloads: 'show' | 'hide'
  /** Why nothing is handled in this process; undefined while all is well. */
  readonly describeFault: () => string | undefined
  /** How often this process asks Stripe for what it could not deliver; undefined when it does not. */
  readonly reconcileEveryMs: number | undefined
  /** Those of TARGETS. */
  readonly targets: readonly NamedTarget[]
}

/** Who asks, and for what. */
export interface Visit {
  readonly context: Context
  readonly operator: string
  readonly query: URLSearchParams
  /** Fields of a form that was sent. */
  readonly form: URLSearchParams
  /** Null when nothing is held, and when the store does not tell. */
  readonly hold: Hold | null
  /** TARGETS names some, or something waits for one. */
  readonly hasTargets: boolean
}

export interface Page {
  readonly title: string
  readonly body: Html
  /** Of the navigation, when the page belongs to a part of it. */
  readonly part?: Part
  readonly status?: number
  /** Beside those of every page. */
  readonly assets?: readonly AssetName[]
}

/** The parts that the navigation leads to, by their address. */
export const parts = {
  '/console': 'Overview',
  '/console/events': 'Events',
  '/console/failures': 'Failures',
  '/console/targets': 'Targets',
  '/console/live': 'Live',
  '/console/actions': 'Actions',
} as const
export type Part = keyof typeof parts

/** A page, or where to go instead. */
export type Answer = Page | { readonly location: string }
