import type { ReceiverErrorCode } from '../errors.ts'
import type { NewEntry } from '../event.ts'
import type { Inbox } from './inbox.ts'

/** A method's call as it crosses to the thread; the body of an added entry lies in the batch's `bodies`. */
export type Call = { readonly id: number } & (
  | {
      readonly method: 'add'
      readonly args: readonly [Omit<NewEntry, 'body'> & { readonly from: number; readonly to: number }]
    }
  | { readonly method: 'claim'; readonly args: Parameters<Inbox['claim']> }
  | { readonly method: Exclude<keyof Inbox, 'add' | 'claim'>; readonly args: readonly unknown[] }
)

export interface CallBatch {
  readonly calls: readonly Call[]
  readonly bodies: Uint8Array<ArrayBuffer>
}

/** Id 0 answers the opening itself. */
export type Reply =
  | { readonly id: number; readonly value: unknown; readonly bodies?: ArrayBuffer[] }
  | { readonly id: number; readonly code: ReceiverErrorCode | null; readonly message: string }

export interface ThreadMessage {
  readonly replies: readonly Reply[]
  /** Batches committed since the last message. */
  readonly commits: readonly (readonly [items: number, durationMs: number])[]
}
