import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Lease } from '../../src/event.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { openSqliteInbox } from '../../src/inbox/sqlite-inbox.ts'
import { newEntry } from '../support/new-entry.ts'
import { serveTask } from './child-task.ts'
import { createTemplateFile, fillInbox } from './fill-inbox.ts'
import type { ClaimPlan } from './plan.ts'
import { median } from './statistics.ts'

export interface ClaimRequest extends ClaimPlan {
  readonly folder: string
}

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
const ONE_LANE = '/sub_shared'

serveTask(async (request: ClaimRequest): Promise<ClaimResult[]> => {
  const cases: Case[] = []
  for (const [name, file] of await makeFiles(request)) {
    const inbox = openSqliteInbox(file, 'server')
    const firstOfAnotherLaneMs = name.includes('lane') ? await findFirstOfAnotherLane(inbox) : undefined
    cases.push({ name, inbox, firstOfAnotherLaneMs, claimUs: [], claimAndSettleUs: [] })
  }
  for (let round = 0; round < request.rounds; round += 1) {
    // In turns, so that a slow moment of the machine falls on all of them.
    for (const each of cases) await measureRound(each)
  }
  for (const { inbox } of cases) await inbox.close()
  return cases.map(({ name, firstOfAnotherLaneMs, claimUs, claimAndSettleUs }) => ({
    name,
    firstOfAnotherLaneMs,
    claimUs: median(claimUs),
    claimAndSettleUs: median(claimAndSettleUs),
  }))
})

async function makeFiles({ folder, sizes, settled, oneLane }: ClaimRequest): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  const now = Date.now()
  const pathOf = (name: string) => join(folder, `${name}.db`)
  await createTemplateFile(pathOf('template'))
  for (const count of sizes) {
    const file = pathOf(`waiting-${count}`)
    await copyFile(pathOf('template'), file)
    fillInbox(file, { count, state: 'pending', dueAt: now })
    files.set(`${count.toLocaleString('en')} waiting`, file)
  }
  const largest = sizes.at(-1) ?? 0
  const variations = {
    [`${settled.toLocaleString('en')} settled`]: { count: settled, state: 'handled' },
    [`${oneLane.toLocaleString('en')} of one lane first`]: { count: oneLane, state: 'pending', lane: ONE_LANE },
    [`${oneLane.toLocaleString('en')} of one lane replayed`]: {
      count: oneLane,
      state: 'pending',
      lane: ONE_LANE,
      ready: 'all',
    },
  } as const
  for (const [index, [name, filling]] of Object.entries(variations).entries()) {
    const file = pathOf(`variation-${index}`)
    await copyFile(pathOf(`waiting-${largest}`), file)
    // Due before all others, and so at the head of the queue.
    fillInbox(file, { ...filling, dueAt: now - largest })
    files.set(`${largest.toLocaleString('en')} waiting, ${name}`, file)
  }
  return files
}

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
