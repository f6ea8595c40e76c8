import { type BenchContext, withFolder } from './bench-context.ts'
import { runTask } from './child-task.ts'
import type { ClaimRequest, ClaimResult } from './claim-process.ts'

const SCRIPT = new URL('./claim-process.ts', import.meta.url)

/** What a claim costs, by how much waits; the first result is the one with the fewest entries. */
export function measureClaims(context: BenchContext): Promise<readonly ClaimResult[]> {
  const { plan, say } = context
  const sizes = plan.claim.sizes.map((size) => size.toLocaleString('en')).join(', ')
  say(`cost of a claim with ${sizes} entries waiting; filling the files takes most of the time`)
  return withFolder(context, (folder) => runTask<ClaimRequest, ClaimResult[]>(SCRIPT, { ...plan.claim, folder }))
}
