import type { EventOf, SnapshotType } from '../event.ts'
import {
  sampleAccountUpdated,
  sampleApplicationDeauthorized,
  sampleExternalAccountUpdated,
  samplePersonUpdated,
} from './accounts.ts'
import { sampleDisputeCreated } from './dispute.ts'
import type { SampleFacts } from './facts.ts'
import {
  sampleBalanceAvailable,
  samplePaymentIntentSucceeded,
  samplePaymentMethodAttached,
  samplePayoutFailed,
} from './money.ts'

type SampleMap = { readonly [T in SnapshotType]?: (facts: SampleFacts) => EventOf<T>['data'] }

/** Snapshot type → `data` of a sample event of it. The SDK's types check each object against the current API version. */
export const sampleData = {
  'payment_intent.succeeded': samplePaymentIntentSucceeded,
  'payment_method.attached': samplePaymentMethodAttached,
  'charge.dispute.created': sampleDisputeCreated,
  'balance.available': sampleBalanceAvailable,
  'payout.failed': samplePayoutFailed,
  'account.updated': sampleAccountUpdated,
  'account.external_account.updated': sampleExternalAccountUpdated,
  'account.application.deauthorized': sampleApplicationDeauthorized,
  'person.updated': samplePersonUpdated,
} as const satisfies SampleMap

export type SampleType = keyof typeof sampleData
export type SampleObject = ReturnType<(typeof sampleData)[SampleType]>['object']

/** The snapshot types that samples exist of; each also has a thin twin `v1.<type>`. */
// The cast holds: a literal's own keys are all that Object.keys gives.
export const sampleTypes = Object.keys(sampleData) as readonly SampleType[]

/** Which sample a type asks for, in snapshot or thin spelling; undefined when there is none. */
export function findSample(type: string): { readonly type: SampleType; readonly isThinName: boolean } | undefined {
  const name = type.startsWith('v1.') ? type.slice('v1.'.length) : type
  const found = sampleTypes.find((sampleType) => sampleType === name)
  return found === undefined ? undefined : { type: found, isThinName: name !== type }
}

/** What a thin event tells of an object; undefined for the objects that Stripe's thin events do not name. */
export function describeRelatedObject(object: SampleObject): { id?: string; type: string; url: string } | undefined {
  switch (object.object) {
    case 'payment_intent':
    case 'payment_method':
    case 'dispute':
    case 'payout':
    case 'account':
      return { id: object.id, type: object.object, url: `/v1/${object.object}s/${object.id}` }
    case 'person':
      return { id: object.id, type: 'person', url: `/v1/accounts/${object.account}/persons/${object.id}` }
    case 'balance':
      return { type: 'balance', url: '/v1/balance' }
    default:
      return undefined
  }
}
