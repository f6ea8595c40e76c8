import { type BenchContext, makeFolder } from './bench-context.ts'
import type { StoreName } from './bench-inbox.ts'
import { runTask } from './child-task.ts'
import type { ClaimInboxes } from './claim-inboxes.ts'
import type { ClaimResult } from './claim-process.ts'
import { checkoutOf, type Rounds, takeTurns, turnsOf } from './rounds.ts'

const SCRIPT = new URL('./claim-process.ts', import.meta.url)

export const claims = { claim: 'sqlite', 'postgres-claim': 'postgres' } as const satisfies Record<string, StoreName>
export type ClaimName = keyof typeof claims

/**
 * What a claim costs in that store, by how much waits; the first result is the one with the fewest entries. One round: filling takes
 * most of the time, and the sizes take turns by themselves.
 */
export function measureClaims(context: BenchContext, name: ClaimName): Promise<Rounds<readonly ClaimResult[]>> {
  const { plan, postgresUrl } = context
  return takeTurns({ ...context, plan: { ...plan, rounds: 1 } }, turnsOf(context, name), async ({ whose }) => {
    await using folder = await makeFolder(context)
    return await runTask<ClaimInboxes, ClaimResult[]>(SCRIPT, {
      ...plan.claim,
      checkout: checkoutOf(context, whose),
      folder: folder.path,
      postgresUrl: claims[name] === 'postgres' ? postgresUrl : undefined,
    })
  })
}
