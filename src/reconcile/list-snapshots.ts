import type Stripe from 'stripe'

/** Which snapshot events to list. */
export interface SnapshotFilter {
  /** Any number; without one, nothing is listed. */
  readonly types: readonly string[]
  /** Also those that were delivered to every endpoint that they were sent to, or were sent to none. */
  readonly isAll?: boolean
  /** Created at this time or later. Stripe keeps events for 30 days. */
  readonly since: Date
  /** Created before this time; left out, up to now. */
  readonly until?: Date | undefined
}

/** The API's own bounds. docs.stripe.com/api/events/list */
const TYPES_A_REQUEST = 20
const PAGE_SIZE = 100

/**
 * Snapshot events of the client's account that Stripe has not delivered to at least one endpoint, whoever's it is, still trying or
 * given up; with `isAll` whatever became of them. Oldest first. Never holds more than a page for each twenty types. Rejects with the
 * SDK's errors.
 */
export async function* listSnapshots(client: Stripe, filter: SnapshotFilter): AsyncGenerator<Stripe.Event, void> {
  const { types, isAll = false, since, until } = filter
  const created = { gte: toSeconds(since), ...(until !== undefined && { lt: toSeconds(until) }) }
  const lists: AsyncGenerator<Stripe.Event, void>[] = []
  for (let start = 0; start < types.length; start += TYPES_A_REQUEST) {
    const some = types.slice(start, start + TYPES_A_REQUEST)
    const params = { ...(!isAll && { delivery_success: false }), types: some, created, limit: PAGE_SIZE }
    lists.push(listOldestFirst(client, params))
  }
  yield* mergeByCreated(lists)
}

/**
 * Stripe lists newest first, and oldest first only from an event on. So when there is more than a page, all pages are turned
 * once to find the oldest, and read on the way back.
 */
async function* listOldestFirst(client: Stripe, params: Stripe.EventListParams): AsyncGenerator<Stripe.Event, void> {
  let page = await client.events.list(params)
  let oldest = page.data
  const isOnePage = !page.has_more
  for (let last = oldest.at(-1); page.has_more && last !== undefined; last = page.data.at(-1)) {
    page = await client.events.list({ ...params, starting_after: last.id })
    if (page.data.length > 0) oldest = page.data
  }
  yield* oldest.toReversed()
  const [newest] = oldest
  if (isOnePage || newest === undefined) return
  yield* client.events.list({ ...params, ending_before: newest.id })
}

async function* mergeByCreated(lists: AsyncGenerator<Stripe.Event, void>[]): AsyncGenerator<Stripe.Event, void> {
  const heads: { readonly event: Stripe.Event; readonly list: AsyncGenerator<Stripe.Event, void> }[] = []
  async function pull(list: AsyncGenerator<Stripe.Event, void>): Promise<void> {
    const { value: event } = await list.next()
    if (event) heads.push({ event, list })
    heads.sort((one, other) => one.event.created - other.event.created)
  }
  for (const list of lists) await pull(list)
  for (let head = heads.shift(); head !== undefined; head = heads.shift()) {
    yield head.event
    await pull(head.list)
  }
}

function toSeconds(instant: Date): number {
  return Math.floor(instant.getTime() / 1_000)
}
