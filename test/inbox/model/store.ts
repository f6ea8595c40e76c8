import type { Inbox } from '../../../src/inbox/inbox.ts'

/** A real store, with a clock that can be stepped and processes that can be lost. Sequences use it one after the other. */
export interface StoreUnderModel {
  /** True: processes share it, and their leases run out. False: one owns it, and what it ran is lost when it ends. */
  readonly isShared: boolean
  /** The two workers', which are one process's unless the store is shared. */
  inboxes(): readonly [Inbox, Inbox]
  /** Of the store's clock, goes by before each claim; 0 where the clock goes by itself. */
  readonly tickMs: number
  /** By the store's clock, in milliseconds. */
  now(): Promise<number>
  /** Moves the store's clock on, or back when negative. */
  step(ms: number): Promise<void>
  /** Ends that worker's process with all that it runs, without a word, and starts another in its place. */
  lose(worker: 0 | 1): Promise<void>
  /** Forgets everything. */
  empty(): Promise<void>
  /** Closes and removes it. */
  [Symbol.asyncDispose](): Promise<void>
}
