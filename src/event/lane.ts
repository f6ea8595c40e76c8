import type { EntryFacts, SnapshotType } from '../event.ts'
import { twinOf } from './twin.ts'

type Subject = Pick<EntryFacts, 'eventId' | 'type' | 'account' | 'objectId' | 'snapshotEventId'>
/** Lane of an event that arrives, given what its own body tells, the default lane among it. */
export type ChooseLane = (
  entry: Pick<EntryFacts, 'eventId' | 'type' | 'shape' | 'account' | 'lane'>,
  body: Uint8Array,
) => string

type Naming = (subject: Subject) => string

/** Id of the snapshot event that tells of it, which its thin twin names. */
const change: Naming = ({ eventId, snapshotEventId }) => snapshotEventId ?? eventId
/** The account that authorized the application or left it: both shapes name it as their own account. */
const itsAccount: Naming = (subject) => subject.account ?? change(subject)

/**
 * Snapshot types of which not both shapes name the object by its id, and what stands for the object in their lanes: the change, the
 * account, or a name where an account has one of them. Compared with the SDK's declarations, so that an update which adds one fails.
 */
export const lanesWithoutId = {
  'account.application.authorized': itsAccount,
  'account.application.deauthorized': itsAccount,
  'account.external_account.created': change,
  'account.external_account.deleted': change,
  'account.external_account.updated': change,
  'balance.available': () => 'balance',
  'balance_settings.updated': () => 'balance_settings',
  'billing.alert.triggered': change,
  'billing_portal.session.created': change,
  'cash_balance.funds_available': change,
  'customer.discount.created': change,
  'customer.discount.deleted': change,
  'customer.discount.updated': change,
  'entitlements.active_entitlement_summary.updated': change,
  'invoice.upcoming': change,
  'tax.settings.updated': () => 'tax.settings',
} satisfies Partial<Record<SnapshotType, Naming>>

const namings = new Map<string, Naming>(
  Object.entries(lanesWithoutId).flatMap(([type, naming]) => [
    [type, naming],
    [twinOf(type), naming],
  ]),
)

const byId: Naming = (subject) => subject.objectId ?? change(subject)

/**
 * The lane of an event, the same for a snapshot event and its thin twin: its account, and the id of its object if both shapes name
 * it. Without, it is the change alone, so that nothing else waits for it; only what an account has one of keeps a lane by its name.
 */
export function laneOf(subject: Subject): string {
  const naming = namings.get(subject.type) ?? byId
  return `${subject.account ?? ''}/${naming(subject)}`
}
