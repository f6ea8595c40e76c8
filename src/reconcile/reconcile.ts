import type Stripe from 'stripe'
import { parseEnvelope } from '../event/envelope.ts'
import { snapshotTypes } from '../event/known-types.ts'
import type { ChooseLane } from '../event/lane.ts'
import { judgeMode, type Mode } from '../event/mode.ts'
import type { HandlerMap, NewEntry } from '../event.ts'
import { ACCOUNT_NOTE, type Inbox } from '../inbox/inbox.ts'
import type { StripeClients } from '../stripe/client.ts'
import { listUndelivered } from './list-undelivered.ts'
import { explainRefusal, type Refusal } from './refusal.ts'
import { addTallies, nothing, type Tallies, type Tally } from './tally.ts'

export interface ReconcileOptions {
  readonly inbox: Pick<Inbox, 'add' | 'lookUp' | 'accounts' | 'readNote' | 'writeNote'>
  readonly clients: Pick<StripeClients, 'clientOf'>
  /** What to look for; see `listableTypes`. */
  readonly types: readonly string[]
  readonly mode: Mode
  /** In place of the default lane, as for deliveries. */
  readonly chooseLane?: ChooseLane | undefined
  /** This connected account alone; left out: the platform, and each account that the inbox knows as connected. */
  readonly account?: string | undefined
  /** Looks at events this old or younger, and leaves the checkpoints alone; left out: at those since the checkpoint, and moves it. */
  readonly sinceMs?: number | undefined
  /** Leaves out younger events, which are probably being delivered. Default 0. */
  readonly graceMs?: number
  /** Counts what is missing, and changes nothing. */
  readonly isDryRun?: boolean
  /** Told of what was counted so far, once for each hundred events. */
  readonly onProgress?: (types: Tallies) => void
  /** Ends the run between two accounts. */
  readonly signal?: AbortSignal
}

export interface Reconciled {
  readonly types: Tallies
  /** How many accounts were looked at, the platform included. */
  readonly accounts: number
  /** Accounts (null: the platform) that could not be looked at, or not to the end; the next run begins where they stopped. */
  readonly refusals: readonly (Refusal & { readonly account: string | null })[]
}

const DAY_MS = 86_400_000
/** How far Stripe lists events back. docs.stripe.com/api/events/list */
const LISTED_MS = 30 * DAY_MS
/**
 * Each run begins this long before the checkpoint. A delivery can fail for good three days after its event, and only then would
 * the event be sure to be listed, behind younger ones; what a run sees again costs one read. One more day for clocks.
 */
const OVERLAP_MS = 4 * DAY_MS
const BATCH_SIZE = 100

/** The map's types that Stripe can list: of snapshots, and known to the SDK. Thin events have no such list. */
export function listableTypes(map: HandlerMap): string[] {
  return snapshotTypes.filter((type) => Object.hasOwn(map, type))
}

/**
 * Asks Stripe for what it could not deliver, and adds what the inbox does not have, oldest first for each account. Safe to repeat,
 * and beside deliveries: an event is one entry however it comes. What Stripe refuses is in the result; rejects when the inbox fails.
 */
export async function reconcileOnce(options: ReconcileOptions): Promise<Reconciled> {
  const types = new Map<string, Tally>()
  const refusals: (Refusal & { account: string | null })[] = []
  let accounts = 0
  // Without a type Stripe would list them all.
  const all = options.types.length === 0 ? [] : await findAccounts(options)
  for (const account of all) {
    try {
      await reconcileAccount(options, account, types)
      accounts += 1
    } catch (error) {
      const refusal = explainRefusal(error, account)
      if (refusal === undefined) throw error
      refusals.push({ account, ...refusal })
      if (refusal.isForAllAccounts) break
    }
    if (options.signal?.aborted) break
  }
  return { types, accounts, refusals }
}

async function findAccounts({ inbox, account }: ReconcileOptions): Promise<(string | null)[]> {
  return account === undefined ? [null, ...(await inbox.accounts())] : [account]
}

async function reconcileAccount(
  options: ReconcileOptions,
  account: string | null,
  types: Map<string, Tally>,
): Promise<void> {
  const { inbox, clients, sinceMs, graceMs = 0, isDryRun = false, onProgress } = options
  const startedAt = Date.now()
  const note = `${ACCOUNT_NOTE}${account ?? 'platform'}`
  let checkpoint = sinceMs === undefined ? Date.parse((await inbox.readNote(note)) ?? '') : Number.NaN
  const wantedSince = sinceMs === undefined ? checkpoint - OVERLAP_MS : startedAt - sinceMs
  // Without a checkpoint, from the first event that Stripe still lists.
  const since = new Date(Math.max(startedAt - LISTED_MS, wantedSince || 0))
  const until = graceMs === 0 ? undefined : new Date(startedAt - graceMs)

  async function moveCheckpoint(to: number): Promise<void> {
    if (isDryRun || sinceMs !== undefined || to <= checkpoint) return
    checkpoint = to
    await inbox.writeNote(note, new Date(to).toISOString())
  }

  const listed = listUndelivered(clients.clientOf(account), { types: options.types, since, until })
  for await (const events of inBatches(listed)) {
    const missing = isDryRun ? await findMissing(inbox, events) : await addAll(options, account, events)
    for (const { id, type } of events) {
      const one = missing.has(id) ? 1 : 0
      const tally = { undelivered: 1, missing: one, added: isDryRun ? 0 : one }
      types.set(type, addTallies(types.get(type) ?? nothing, tally))
    }
    // Oldest first, so that a run that is cut off goes on from here.
    await moveCheckpoint((events.at(-1)?.created ?? 0) * 1_000)
    onProgress?.(types)
  }
  await moveCheckpoint(startedAt - graceMs)
}

async function* inBatches(events: AsyncIterable<Stripe.Event>): AsyncGenerator<readonly Stripe.Event[]> {
  let batch: Stripe.Event[] = []
  for await (const event of events) {
    batch.push(event)
    if (batch.length < BATCH_SIZE) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** Ids of those that were not there. All at once, in order: they share a transaction. */
async function addAll(
  { inbox, mode, chooseLane }: ReconcileOptions,
  account: string | null,
  events: readonly Stripe.Event[],
): Promise<Set<string>> {
  const results = await Promise.all(events.map((event) => inbox.add(toEntry(event, account, mode, chooseLane))))
  return new Set(events.filter((_event, index) => results[index] === 'added').map(({ id }) => id))
}

async function findMissing(inbox: ReconcileOptions['inbox'], events: readonly Stripe.Event[]): Promise<Set<string>> {
  const ids = events.map(({ id }) => id)
  const known = await inbox.lookUp(ids)
  return new Set(ids).difference(new Set(known.map(({ eventId }) => eventId)))
}

function toEntry(event: Stripe.Event, account: string | null, mode: Mode, chooseLane?: ChooseLane): NewEntry {
  // A delivery always tells whose event it is; a list for an account need not, and its handler would act for the platform.
  const text = JSON.stringify(account === null || event.account ? event : { ...event, account })
  const [envelope, body] = [parseEnvelope(text), Buffer.from(text)]
  const route = envelope.account === null ? 'account' : 'connect'
  const lane = chooseLane?.(envelope, body) ?? envelope.lane
  const fetched = { route, source: 'reconcile', secret: '', body, lane } as const
  return { ...envelope, ...fetched, ...judgeMode(envelope, mode) }
}
