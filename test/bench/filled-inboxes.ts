import type { BenchContext } from './bench-context.ts'
import { type BenchInbox, planBenchInbox, type StoreName } from './bench-inbox.ts'
import type { Checkout } from './checkout.ts'

export interface FilledInboxes extends AsyncDisposable {
  /** One with very many entries, of that checkout in that store: filled when it is first asked for, and the same one then. */
  get(checkout: Checkout, store: StoreName): Promise<BenchInbox>
}

/** Filling takes long, so several measurements use each, one after the other. They go when this is disposed of. */
export function createFilledInboxes(context: BenchContext): FilledInboxes {
  const undo = new AsyncDisposableStack()
  const made = new Map<string, BenchInbox>()
  return {
    async get(checkout, store) {
      const key = `${store} ${checkout.folder}`
      const known = made.get(key)
      if (known !== undefined) return known
      const count = context.plan.filledEntries
      context.say(`filling ${store} with ${count.toLocaleString('en')} entries, of ${checkout.folder}`)
      const inbox = undo.use(await planBenchInbox(context, store))
      await inbox.fill(checkout, count)
      made.set(key, inbox)
      return inbox
    },
    [Symbol.asyncDispose]: () => undo.disposeAsync(),
  }
}
