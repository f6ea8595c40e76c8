import { type BenchContext, withFolder } from './bench-context.ts'
import type { StoreName } from './bench-inbox.ts'
import { runTask } from './child-task.ts'
import type { ClaimInboxes } from './claim-inboxes.ts'
import type { ClaimResult } from './claim-process.ts'

const SCRIPT = new URL('./claim-process.ts', import.meta.url)

/** What a claim costs in that store, by how much waits; the first result is the one with the fewest entries. */
export function measureClaims(context: BenchContext, store: StoreName): Promise<readonly ClaimResult[]> {
  const { plan, say } = context
  const sizes = plan.claim.sizes.map((size) => size.toLocaleString('en')).join(', ')
  say(`cost of a claim in ${store} with ${sizes} entries waiting; filling it takes most of the time`)
  const postgresUrl = store === 'postgres' ? context.postgresUrl : undefined
  return withFolder(context, (folder) =>
    runTask<ClaimInboxes, ClaimResult[]>(SCRIPT, { ...plan.claim, folder, postgresUrl }),
  )
}
