import type { Inbox } from '../../../src/inbox/inbox.ts'

export type Worker = 0 | 1

/** A real store, with a clock that can be set and processes that can be lost. Sequences use it one after the other. */
export interface StoreUnderModel {
  /** Whether processes share it. */
  readonly isShared: boolean
  /** The two workers', which are one process's unless the store is shared. */
  inboxes(): readonly [Inbox, Inbox]
  /** Time goes by; `isSet`: the clock shows another time, which may be an earlier one. */
  step(ms: number, isSet: boolean): Promise<void>
  /** Ends that worker's process with all that it runs, without a word, and starts another in its place. */
  loseProcess(worker: Worker): Promise<void>
  /** Ends the threads that the store works in; absent where it has none. */
  loseThreads?(): Promise<void>
  /** Forgets everything. */
  empty(): Promise<void>
  /** Closes and removes it. */
  [Symbol.asyncDispose](): Promise<void>
}
