import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { planBenchSchema } from './bench-postgres.ts'
import { type Checkout, withInbox } from './checkout.ts'
import { addHandled, addPending, fillInbox } from './fill-inbox.ts'
import { fillSchema } from './fill-schema.ts'
import type { ClaimPlan } from './plan.ts'

export interface ClaimInboxes extends ClaimPlan {
  /** Whose store makes and claims. */
  readonly checkout: Checkout
  readonly folder: string
  /** The Postgres to make schemas in; undefined for files in the folder. */
  readonly postgresUrl: string | undefined
}

/** Lane of those that wait at the head of a queue, where there are such. */
export const ONE_LANE = '/sub_shared'

/** Makes the inboxes whose claims are compared: for each what it holds, and its DATABASE_URL. Schemas go with `undo`. */
export function makeInboxes(request: ClaimInboxes, undo: AsyncDisposableStack): Promise<Map<string, string>> {
  return request.postgresUrl === undefined ? makeFiles(request) : makeSchemas(request, undo)
}

/** Such as `100K`: the report's lines have to fit. */
const describeCount = (count: number) => count.toLocaleString('en', { notation: 'compact' })
const describeSize = (count: number) => `${describeCount(count)} waiting`

async function makeSchemas({ checkout, sizes, postgresUrl }: ClaimInboxes, undo: AsyncDisposableStack) {
  const urls = new Map<string, string>()
  for (const count of sizes) {
    const schema = undo.use(planBenchSchema({ postgresUrl }))
    await withInbox(checkout, schema.url, 'server', addPending)
    await fillSchema(schema, { count, state: 'pending' })
    urls.set(describeSize(count), schema.url)
  }
  return urls
}

async function makeFiles({ checkout, folder, sizes, settled, oneLane }: ClaimInboxes): Promise<Map<string, string>> {
  const urls = new Map<string, string>()
  const now = Date.now()
  const pathOf = (name: string) => join(folder, `${name}.db`)
  await withInbox(checkout, `file:${pathOf('template')}`, 'server', async (inbox) => {
    await addHandled(inbox)
    await addPending(inbox)
  })
  for (const count of sizes) {
    const file = pathOf(`waiting-${count}`)
    await copyFile(pathOf('template'), file)
    fillInbox(file, { count, state: 'pending', dueAt: now })
    urls.set(describeSize(count), `file:${file}`)
  }
  const largest = sizes.at(-1) ?? 0
  const old = pathOf('old-objects')
  await copyFile(pathOf('template'), old)
  fillInbox(old, { count: largest, state: 'pending', objects: 'old', dueAt: now })
  urls.set(`${describeSize(largest)}, of old objects`, `file:${old}`)
  const variations = {
    [`${describeCount(settled)} settled`]: { count: settled, state: 'handled' },
    [`${describeCount(oneLane)} of one lane first`]: { count: oneLane, state: 'pending', lane: ONE_LANE },
  } as const
  for (const [index, [name, filling]] of Object.entries(variations).entries()) {
    const file = pathOf(`variation-${index}`)
    await copyFile(pathOf(`waiting-${largest}`), file)
    // Due before all others, and so at the head of the queue.
    fillInbox(file, { ...filling, dueAt: now - largest })
    urls.set(`${describeSize(largest)}, ${name}`, `file:${file}`)
  }
  return urls
}
