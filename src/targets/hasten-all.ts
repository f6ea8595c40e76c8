import type { Inbox } from '../inbox/inbox.ts'

/** More would hold the store up. */
const AT_ONCE = 1_000

/** Makes all that waits for a retry to the target due now, whatever its delay; gives how many. Rejects as the store does. */
export async function hastenAll({ forwards }: Pick<Inbox, 'forwards'>, target: string): Promise<number> {
  for (let all = 0; ; ) {
    const hastened = await forwards.hasten(target, AT_ONCE)
    all += hastened
    // What failed meanwhile waits as it should.
    if (hastened < AT_ONCE) return all
  }
}
