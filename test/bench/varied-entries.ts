import type { Outcome } from '../../src/event.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { newEntry } from '../support/new-entry.ts'
import { CUSTOMERS, createDeliveries } from './deliveries.ts'

/** What is copied, how often of `SHARES` times. */
interface Template {
  readonly share: number
  readonly type: string
  readonly outcome: Outcome
}

/** A prime, so that nothing else that goes by an entry's number goes with its template. */
const SHARES = 4_001
const RETRY_IN_MS = 30 * 86_400_000
const failing = (message: string) =>
  `${message}\n    at handlePayment (/srv/handlers/payments.ts:42:11)\n    at runHandler (/srv/run-handler.ts:17:9)`
const dead = (message: string): Outcome => ({ state: 'dead', error: failing(message) })
const retried = (message: string): Outcome => ({ state: 'pending', error: failing(message), retryInMs: RETRY_IN_MS })
const handled = { state: 'handled' } as const

/** One in a thousand is dead, one in two thousand waits for a retry, one in a hundred is unhandled. */
const templates: readonly Template[] = [
  { share: 1, type: 'payment_intent.succeeded', outcome: dead('Error: connect ECONNREFUSED 10.0.0.7:5432') },
  { share: 1, type: 'invoice.paid', outcome: dead("TypeError: Cannot read properties of null (reading 'email')") },
  { share: 1, type: 'invoice.paid', outcome: dead('Error: the ledger answered 409: it has this invoice') },
  { share: 1, type: 'payout.failed', outcome: dead('Error: no owner is known for this payout') },
  { share: 1, type: 'charge.succeeded', outcome: retried('Error: the ledger answered 503') },
  { share: 1, type: 'payment_intent.succeeded', outcome: retried('Error: the ledger answered 503') },
  { share: 40, type: 'product.updated', outcome: { state: 'unhandled' } },
  { share: 1, type: 'account.application.authorized', outcome: handled },
  { share: 900, type: 'charge.succeeded', outcome: handled },
  { share: 700, type: 'invoice.paid', outcome: handled },
  { share: 400, type: 'customer.subscription.updated', outcome: handled },
  { share: 300, type: 'payout.paid', outcome: handled },
  { share: 1_654, type: 'payment_intent.succeeded', outcome: handled },
]

/** From one entry to the next: two million are of twenty days, and none is old enough for retention. */
export const EVERY_MS = 864
/** Of a tenth of all entries; two fifths are of 999 others, and half of none. */
export const BUSY_ACCOUNT = 'acct_BenchBusy'
/** What an entry can be found by; a third of all can, by one of as many as deliveries have. */
export const customerOf = (number: number): string => `cus_Bench${number}`

/** Adds those that are copied, in order, to an empty inbox: every column is as the store leaves it. */
export async function addTemplates(inbox: Inbox): Promise<void> {
  const body = Buffer.from(createDeliveries(1).body(0))
  for (const { type, outcome } of templates) {
    await inbox.add(newEntry({ type, body }))
    const [lease] = await inbox.claim({ limit: 1, leaseMs: 1_000 })
    if (lease === undefined || !(await inbox.settle(lease, outcome)))
      throw new Error('an entry that was just added could not be claimed and settled')
  }
}

/** As retention does. */
export const DROP_BODIES = `DELETE FROM payload WHERE seq IN (SELECT seq FROM entry WHERE state IN ('handled', 'unhandled'))`

/** SQL, of both stores as all that follows: the number of the template of entry `i`, one of these in their order. */
export function pickTemplate(seqs: readonly number[]): string {
  const ends = templates.map((_, index) => templates.slice(0, index + 1).reduce((sum, { share }) => sum + share, 0))
  if (seqs.length !== templates.length || ends.at(-1) !== SHARES) throw new Error('some templates are missing')
  const cases = ends.map((end, index) => `WHEN i % ${SHARES} * 1237 % ${SHARES} < ${end} THEN ${seqs[index]}`)
  return `CASE ${cases.join(' ')} END`
}

const account = `CASE WHEN i % 10 = 0 THEN '${BUSY_ACCOUNT}' WHEN i % 2 = 0 THEN 'acct_Bench' || (1000 + i / 10 % 999) END`

/** What differs from entry to entry, of its number `i`, `id` and instant `at`; the template is the `model`. */
export const variedColumns = {
  event_id: `'evt_' || id`,
  object_id: `'pi_' || id`,
  account,
  route: `CASE WHEN i % 2 = 0 THEN 'connect' ELSE 'account' END`,
  lane: `coalesce(${account}, '') || '/pi_' || id`,
  received_at: 'at',
  due_at: `CASE WHEN model.state = 'pending' THEN model.due_at ELSE at END`,
  settled_at: `CASE WHEN model.settled_at IS NOT NULL THEN at END`,
}

/** Makes entries after that number searchable, in the order of the index. */
export const addValues = (after: string): string => `
  INSERT INTO value (value, seq)
  SELECT '${customerOf(0).slice(0, -1)}' || (seq % 10007 * 7919 % ${CUSTOMERS}), seq FROM entry
  WHERE seq > ${after} AND seq % 3 = 0 ORDER BY 1, 2`
