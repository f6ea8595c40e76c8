import type { EventOf, SnapshotType } from '../event.ts'

/** Snapshot type → what its object had before, of the samples in full that tell of a change. */
export const previousAttributes = {
  'account.updated': { payouts_enabled: true },
  'account.external_account.updated': { status: 'new' },
  'capability.updated': { status: 'pending' },
  'customer.updated': { email: null },
  'customer.subscription.updated': { cancel_at_period_end: false },
  'person.updated': { verification: { status: 'pending' } },
  'price.updated': { nickname: null },
  'product.updated': { description: null },
} satisfies { readonly [T in SnapshotType]?: EventOf<T>['data']['previous_attributes'] }
