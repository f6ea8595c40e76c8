import type { OnCommit } from '../inbox.ts'

/** What became of one item of a batch. */
export type Committed<Result> = { readonly value: Result } | { readonly error: unknown }

export interface GroupCommit<Item, Result> {
  /** Resolves or rejects with what `commit` said of this item. */
  submit(item: Item): Promise<Result>
  /** Resolves once it is idle. */
  whenIdle(): Promise<void>
}

interface Waiting<Item, Result> {
  readonly item: Item
  readonly resolve: (value: Result) => void
  readonly reject: (reason: unknown) => void
}

/**
 * Many items, one transaction: those submitted in one turn of the event loop, or while a commit is under way, share the next.
 * `commit` answers for each item in order; when it throws or rejects, every item of its batch does. One batch runs at a time.
 */
export function createGroupCommit<Item, Result>(options: {
  readonly commit: (items: readonly Item[]) => readonly Committed<Result>[] | Promise<readonly Committed<Result>[]>
  /** Most items of one batch, 1 or more. */
  readonly maxItems: number
  /** Told of each batch: its items, and how long its commit took. */
  readonly onCommit?: OnCommit | undefined
}): GroupCommit<Item, Result> {
  const waiting: Waiting<Item, Result>[] = []
  let isScheduled = false
  let idleWaiters: (() => void)[] = []

  // setImmediate runs after the sockets that were readable in this turn, so all that they brought is in the batch.
  function schedule(): void {
    if (isScheduled) return
    isScheduled = true
    setImmediate(() => void flush())
  }

  async function flush(): Promise<void> {
    const batch = waiting.splice(0, options.maxItems)
    const startedAt = performance.now()
    try {
      const results = await options.commit(batch.map(({ item }) => item))
      batch.forEach((entry, index) => {
        answer(entry, results[index] ?? { error: new Error('commit gave no result for an item') })
      })
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
    options.onCommit?.(batch.length, performance.now() - startedAt)
    isScheduled = false
    if (waiting.length > 0) return schedule()
    const woken = idleWaiters
    idleWaiters = []
    for (const wake of woken) wake()
  }

  return {
    submit: (item) =>
      new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject })
        schedule()
      }),
    whenIdle: () => (isScheduled ? new Promise((resolve) => idleWaiters.push(resolve)) : Promise.resolve()),
  }
}

function answer<Item, Result>({ resolve, reject }: Waiting<Item, Result>, result: Committed<Result>): void {
  if ('value' in result) resolve(result.value)
  else reject(result.error)
}
