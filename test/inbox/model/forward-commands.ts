import fc from 'fast-check'
import type { ForwardLease, ForwardOutcome, ForwardState } from '../../../src/inbox/forwards.ts'
import { type ForwardReference, type HeldForward, TARGETS, type TargetName } from './forward-reference.ts'
import type { StoreUnderModel, Worker } from './store.ts'

/** Of a request to the target; a number of milliseconds when it failed and is tried again. */
type Ending = 'delivered' | 'dead' | number

/** What a command works with. */
interface Both {
  readonly reference: { readonly forwards: ForwardReference }
  readonly store: StoreUnderModel
  say(answer: string): void
}

const tellForward = ({ entry, target, attempt }: ForwardLease) => `${entry.eventId} to ${target} (attempt ${attempt})`
const tellForwards = (leases: readonly ForwardLease[]) => leases.map(tellForward).join(', ') || 'nothing'

function toOutcome(ending: Ending): ForwardOutcome {
  const answered = { status: null, answer: null }
  if (ending === 'delivered') return { state: ending, ...answered }
  if (ending === 'dead') return { state: ending, error: 'final', ...answered }
  return { state: 'pending', retryInMs: ending, error: 'not yet', ...answered }
}

/** One worker claims forwards of one target. */
export async function claimForwardsBy(
  worker: Worker,
  target: TargetName,
  { limit, leaseMs }: { readonly limit: number; readonly leaseMs: number },
  { reference, store, say }: Both,
): Promise<ForwardLease[]> {
  const given = await store.inboxes()[worker].forwards.claim({ wanted: [{ target, limit }], leaseMs })
  say(tellForwards(given))
  reference.forwards.claim(worker, target, limit, given)
  return given
}

export async function settleForwardBy(
  held: HeldForward,
  ending: Ending,
  { reference, store, say }: Both,
): Promise<void> {
  const outcome = toOutcome(ending)
  const isSettled = await store.inboxes()[held.worker].forwards.settle(held.lease, outcome)
  say(`${tellForward(held.lease)} ${isSettled ? 'settled' : 'was lost'}`)
  reference.forwards.settle(held, outcome, isSettled)
}

/** Makes all that waits for a retry to the target due now. */
export async function hastenBy(name: TargetName, { reference, store, say }: Both): Promise<void> {
  const hastened = await store.inboxes()[0].forwards.hasten(name, 1_000)
  say(String(hastened))
  reference.forwards.hasten(name, hastened)
}

/** Delivers all that is due; says what. */
export async function deliverAll(leaseMs: number, both: Both): Promise<void> {
  for (;;) {
    const given: ForwardLease[] = []
    // Not at once: one of them frees what is lost, and the other may not see that.
    for (const name of TARGETS) given.push(...(await claimForwardsBy(0, name, { limit: 20, leaseMs }, both)))
    const open = both.reference.forwards.open()
    if (given.length === 0 && open.length === 0) return
    for (const held of open) await settleForwardBy(held, 'delivered', both)
  }
}

export const target = fc.constantFrom(...TARGETS)
export const forwardEnding = fc.constantFrom<Ending[]>('delivered', 'delivered', 'dead', 0, 30_000, 90_000)
export const droppedIn = fc.constantFrom<ForwardState[][]>(
  ['dead'],
  ['pending'],
  ['pending', 'dead', 'running', 'delivered'],
)
