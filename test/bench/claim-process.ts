import type { Lease } from '../../src/event.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { newEntry } from '../support/new-entry.ts'
import { loadOpenInbox } from './checkout.ts'
import { serveTask } from './child-task.ts'
import { type ClaimInboxes, makeInboxes, ONE_LANE } from './claim-inboxes.ts'
import { median } from './statistics.ts'

export interface ClaimResult {
  /** What the inbox holds, to be read after "claim of 16, ". */
  readonly name: string
  readonly claimUs: number
  /** The claim, and settling what it gave. */
  readonly claimAndSettleUs: number
  /** Until the first entry that is not of the one lane was claimed; undefined where there is no such lane. */
  readonly firstOfAnotherLaneMs: number | undefined
}

interface Case {
  readonly name: string
  readonly inbox: Inbox
  readonly firstOfAnotherLaneMs: number | undefined
  readonly claimUs: number[]
  readonly claimAndSettleUs: number[]
}

/** As many as a server's worker claims at most, by default. */
const LIMIT = 16
const LEASE_MS = 45_000

serveTask(async (request: ClaimInboxes): Promise<ClaimResult[]> => {
  await using undo = new AsyncDisposableStack()
  const openInbox = await loadOpenInbox(request.checkout)
  const cases: Case[] = []
  for (const [name, url] of await makeInboxes(request, undo)) {
    const inbox = undo.adopt(await openInbox(url, 'server'), (opened) => opened.close())
    const firstOfAnotherLaneMs = name.includes('lane') ? await findFirstOfAnotherLane(inbox) : undefined
    cases.push({ name, inbox, firstOfAnotherLaneMs, claimUs: [], claimAndSettleUs: [] })
  }
  for (let round = 0; round < request.rounds; round += 1) {
    // In turns, so that a slow moment of the machine falls on all of them.
    for (const each of cases) await measureRound(each)
  }
  return cases.map(({ name, firstOfAnotherLaneMs, claimUs, claimAndSettleUs }) => ({
    name,
    firstOfAnotherLaneMs,
    claimUs: median(claimUs),
    claimAndSettleUs: median(claimAndSettleUs),
  }))
})

/** Milliseconds until another lane gets its turn, as for a worker whose handler is busy with the first of the one lane. */
async function findFirstOfAnotherLane(inbox: Inbox): Promise<number> {
  const leases: Lease[] = []
  const startedAt = performance.now()
  while (leases.every(({ entry }) => entry.lane === ONE_LANE))
    leases.push(...(await inbox.claim({ limit: LIMIT, leaseMs: LEASE_MS })))
  const endedAt = performance.now()
  await settleAll(inbox, leases)
  return endedAt - startedAt
}

async function measureRound({ inbox, claimUs, claimAndSettleUs }: Case): Promise<void> {
  const startedAt = performance.now()
  const leases = await inbox.claim({ limit: LIMIT, leaseMs: LEASE_MS })
  const claimedAt = performance.now()
  await settleAll(inbox, leases)
  const settledAt = performance.now()
  if (leases.length !== LIMIT) throw new Error(`expected a claim of ${LIMIT} entries, got ${leases.length}`)
  claimUs.push((claimedAt - startedAt) * 1_000)
  claimAndSettleUs.push((settledAt - startedAt) * 1_000)
  // As many arrive as were settled, so that the size stays.
  await Promise.all(leases.map(() => inbox.add(newEntry())))
}

async function settleAll(inbox: Inbox, leases: readonly Lease[]): Promise<void> {
  const settled = await Promise.all(leases.map((lease) => inbox.settle(lease, { state: 'handled' })))
  if (settled.includes(false)) throw new Error('a lease was lost')
}
