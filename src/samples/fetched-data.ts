import type { EventOf, PreviewType, ThinType } from '../event.ts'
import type { SampleFacts } from './facts.ts'

/** What only the fetched event of a thin type has. */
export type DataOf<T extends ThinType | PreviewType> =
  Awaited<ReturnType<EventOf<T>['fetchEvent']>> extends { data: infer D } ? D : never

const ofAccount = ({ account }: SampleFacts) => ({ account_id: account })
const ofTransaction = ({ createId }: SampleFacts) => ({ transaction_id: createId('trxn_') })

/** Thin type → `data` of the event that its `fetchEvent()` gives; all others have none. */
export const fetchedData = {
  'v1.billing.meter.error_report_triggered': () => ({
    ...ofHour,
    reason: ofReason('meter_event_customer_not_found', 'No customer has this id.'),
  }),
  'v1.billing.meter.no_meter_found': () => ({
    ...ofHour,
    reason: ofReason('no_meter', 'No meter has this event name.'),
  }),
  'v1.invoice.upcoming': ({ createId }) => ({ customer: createId('cus_'), subscription: createId('sub_') }),
  'v2.core.account[configuration.customer].capability_status_updated': () => ({
    updated_capability: 'automatic_indirect_tax',
  }),
  'v2.core.account[configuration.merchant].capability_status_updated': () => ({ updated_capability: 'card_payments' }),
  'v2.core.account[configuration.recipient].capability_status_updated': () => ({
    updated_capability: 'bank_accounts.local',
  }),
  'v2.core.account_link.returned': ({ account }) => ({
    account_id: account,
    configurations: ['merchant'],
    use_case: 'account_onboarding',
  }),
  'v2.core.account_person.created': ofAccount,
  'v2.core.account_person.deleted': ofAccount,
  'v2.core.account_person.updated': ofAccount,
  'v2.core.health.event_generation_failure.resolved': ({ createId }) => ({
    impact: { event_type: 'payout.failed', related_object: ofPayout(createId('po_')) },
  }),
  'v2.money_management.inbound_transfer.available': ofTransaction,
  'v2.money_management.received_credit.available': ofTransaction,
  'v2.money_management.transaction.created': ({ createId }) => ({ v1_id: createId('txn_') }),
  'v2.money_management.transaction.updated': ({ createId }) => ({ treasury_transaction: createId('trxn_') }),
} satisfies { readonly [T in ThinType | PreviewType]?: (facts: SampleFacts) => DataOf<T> }

const ofPayout = (id: string) => ({ id, type: 'payout', url: `https://dashboard.stripe.com/payouts/${id}` })

const ofHour = {
  developer_message_summary: 'There is 1 invalid event',
  validation_start: '2026-11-01T00:00:00.000Z',
  validation_end: '2026-11-01T01:00:00.000Z',
}

function ofReason<Code extends string>(code: Code, error_message: string) {
  const sample_errors = [{ error_message, request: { identifier: 'usage-1042' } }]
  return { error_count: 1, error_types: [{ code, error_count: 1, sample_errors }] }
}
