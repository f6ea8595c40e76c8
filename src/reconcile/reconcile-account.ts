import type { Arrival } from '../event/arrival.ts'
import { ACCOUNT_NOTE, type Inbox, THIN_ACCOUNT_NOTE } from '../inbox/inbox.ts'
import type { StripeClients } from '../stripe/client.ts'
import { readCheckpoint } from './checkpoint.ts'
import { accountIn } from './contexts.ts'
import { listSnapshots } from './list-snapshots.ts'
import { groupThinTypes, listThin } from './list-thin.ts'
import { type Listed, toEntry } from './listed-entry.ts'
import { explainUnlisted, type Unlisted } from './refusal.ts'
import type { Tally } from './tally.ts'
import type { WantedTypes } from './wanted-types.ts'

export interface AccountOptions {
  readonly inbox: Pick<Inbox, 'add' | 'lookUp' | 'readNote' | 'writeNote'>
  readonly clients: Pick<StripeClients, 'clientOf' | 'clientIn'>
  /** What to look for; see `chooseTypes`. */
  readonly types: WantedTypes
  readonly arrival: Arrival
  /** Snapshot events whatever became of their deliveries; left out: those that Stripe has not delivered. */
  readonly isAll?: boolean
  /** Looks at events this old or younger, and leaves the checkpoints alone; left out: at those since the checkpoint, and moves it. */
  readonly sinceMs?: number | undefined
  /** Leaves out younger events, which are probably being delivered. Default 0. */
  readonly graceMs?: number
  /** Counts what is missing, and changes nothing. */
  readonly isDryRun?: boolean
}

export interface Counting {
  readonly count: (type: string, tally: Tally) => void
  /** Told after each hundred events. */
  readonly onBatch: () => void
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** How far Stripe lists events back. docs.stripe.com/api/events/list */
export const LISTED_MS = 30 * DAY_MS
/**
 * Each look begins this long before the checkpoint. The delivery of a snapshot event can fail for good three days after it, and only then
 * would it be sure to be listed, behind younger ones; what a look sees again costs one read. One more day for clocks.
 */
const SNAPSHOT_OVERLAP_MS = 4 * DAY_MS
/** A thin event is listed from its creation on. */
const THIN_OVERLAP_MS = HOUR_MS
/** Since when this inbox is asked to have every thin event: those before were handled elsewhere, or are to be asked for by hand. */
const THIN_SINCE_NOTE = 'thin events since'
/** In place of an account's id in a note's name. */
const PLATFORM = 'platform'
const BATCH_SIZE = 100

interface Look extends Counting {
  readonly options: AccountOptions
  /** Null: the platform. */
  readonly account: string | null
  /** Through which it is acted for: the account itself, or `acct_a/acct_b`. */
  readonly context: string | null
  readonly startedAt: number
  readonly until: Date | undefined
}

/**
 * Adds what the inbox lacks of one account, which is acted for through the context (null: the platform); gives the thin types that Stripe
 * refused to list. Rejects with errors of the SDK and the inbox.
 */
export async function reconcileAccount(
  options: AccountOptions,
  context: string | null,
  counting: Counting,
): Promise<Unlisted[]> {
  const startedAt = Date.now()
  const account = context === null ? null : accountIn(context)
  const { graceMs = 0, types } = options
  const look = {
    ...counting,
    options,
    account,
    context,
    startedAt,
    until: graceMs > 0 ? new Date(startedAt - graceMs) : undefined,
  }
  const { snapshot, thin } = types[account === null ? 'account' : 'connect']
  if (snapshot.length > 0) await reconcileSnapshots(look, snapshot)
  return thin.length > 0 ? reconcileThin(look, thin) : []
}

async function reconcileSnapshots(look: Look, types: readonly string[]): Promise<void> {
  const { options, context, startedAt, until } = look
  const checkpoint = await readCheckpoint(options, `${ACCOUNT_NOTE}${look.account ?? PLATFORM}`)
  // Without a checkpoint, from the first event that Stripe still lists.
  const since = sinceWhen(look, (checkpoint.at ?? 0) - SNAPSHOT_OVERLAP_MS)
  const { clients, isAll = false } = options
  for await (const events of inBatches(listSnapshots(clients.clientOf(context), { types, isAll, since, until }))) {
    await addMissing(look, events, (_isMissing) => 1)
    // Oldest first, so that a run that is cut off goes on from here.
    await checkpoint.move((events.at(-1)?.created ?? 0) * 1_000)
  }
  await checkpoint.move(startedAt - (options.graceMs ?? 0))
}

async function reconcileThin(look: Look, types: readonly string[]): Promise<Unlisted[]> {
  const { options, context, startedAt, until } = look
  const client = options.clients.clientIn(context)
  const checkpoint = await readCheckpoint(options, `${THIN_ACCOUNT_NOTE}${look.account ?? PLATFORM}`)
  const since = sinceWhen(
    look,
    checkpoint.at === undefined ? await readThinStart(look) : checkpoint.at - THIN_OVERLAP_MS,
  )
  const unlisted: Unlisted[] = []
  const groups = groupThinTypes(types)
  for (const group of groups) {
    try {
      for await (const events of inBatches(listThin(client, { types: group, since, until }))) {
        // Delivered ones are listed too: of these only what is missing counts.
        await addMissing(look, events.toReversed(), (isMissing) => (options.isAll || isMissing ? 1 : 0))
      }
    } catch (error) {
      const refused = explainUnlisted(error, group)
      if (refused === undefined) throw error
      unlisted.push(refused)
    }
  }
  // Newest first: a list that was not read to its end may lack any of them.
  if (unlisted.length < groups.length) await checkpoint.move(startedAt - (options.graceMs ?? 0))
  return unlisted
}

function sinceWhen({ options: { sinceMs }, startedAt }: Look, fromCheckpoint: number): Date {
  const wanted = sinceMs === undefined ? fromCheckpoint : startedAt - sinceMs
  return new Date(Math.max(startedAt - LISTED_MS, wanted))
}

/** From when on an account is looked at that has no checkpoint: what came before this inbox asked for thin events is not its own. */
async function readThinStart({ options, startedAt }: Look): Promise<number> {
  const noted = Date.parse((await options.inbox.readNote(THIN_SINCE_NOTE)) ?? '')
  if (!Number.isNaN(noted)) return noted
  const start = startedAt - THIN_OVERLAP_MS
  if (!options.isDryRun && options.sinceMs === undefined)
    await options.inbox.writeNote(THIN_SINCE_NOTE, new Date(start).toISOString())
  return start
}

/** All at once, in order: they share a transaction. The inbox is asked first, so that it need not be sent what it has. */
async function addMissing(
  { options, context, count, onBatch }: Look,
  events: readonly Listed[],
  countFound: (isMissing: boolean) => number,
): Promise<void> {
  const { inbox, arrival, isDryRun = false } = options
  const known = new Set((await inbox.lookUp(events.map(({ id }) => id))).map(({ eventId }) => eventId))
  const missing = isDryRun ? [] : events.filter(({ id }) => !known.has(id))
  const results = await Promise.all(missing.map((event) => inbox.add(toEntry(event, context, arrival))))
  const added = new Set(missing.filter((_event, index) => results[index] !== 'duplicate').map(({ id }) => id))
  for (const { id, type } of events) {
    const isMissing = isDryRun ? !known.has(id) : added.has(id)
    count(type, { found: countFound(isMissing), missing: isMissing ? 1 : 0, added: added.has(id) ? 1 : 0 })
  }
  onBatch()
}

async function* inBatches<Event>(events: AsyncIterable<Event>): AsyncGenerator<readonly Event[]> {
  let batch: Event[] = []
  for await (const event of events) {
    batch.push(event)
    if (batch.length < BATCH_SIZE) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
