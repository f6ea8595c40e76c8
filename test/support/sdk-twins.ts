import { snapshotTypes, thinTypes } from '../../src/event/known-types.ts'
import type { SnapshotType, ThinType } from '../../src/event.ts'

// What the installed SDK declares of each type; test/event.types.ts compares the lists with it.

/** Snapshot types that tell of the same change as a thin type: all but `v1.` is the same name. */
export type TwinType = { [T in SnapshotType]: `v1.${T}` extends ThinType ? T : never }[SnapshotType]

const thin: ReadonlySet<string> = new Set(thinTypes)
/** Every snapshot type that has a thin twin. */
export const twinTypes: readonly TwinType[] = snapshotTypes.filter((type): type is TwinType => thin.has(`v1.${type}`))

/** Those whose `data.object` has no id. */
export const snapshotsWithoutId = [
  'balance.available',
  'balance_settings.updated',
  'billing.alert.triggered',
  'cash_balance.funds_available',
  'entitlements.active_entitlement_summary.updated',
  'tax.settings.updated',
] as const satisfies readonly TwinType[]

/** Those whose thin twin has no `related_object`. */
export const thinsWithoutObject = [
  'account.application.authorized',
  'account.application.deauthorized',
  'account.external_account.created',
  'account.external_account.deleted',
  'account.external_account.updated',
  'billing_portal.session.created',
  'entitlements.active_entitlement_summary.updated',
  'invoice.upcoming',
] as const satisfies readonly TwinType[]

/** Those whose thin twin has a `related_object` without an id. */
export const thinsWithoutId = [
  'balance.available',
  'balance_settings.updated',
  'cash_balance.funds_available',
  'customer.discount.created',
  'customer.discount.deleted',
  'customer.discount.updated',
  'tax.settings.updated',
] as const satisfies readonly TwinType[]

/** Those about something that an account has one of: it has no id in either shape, and no customer either. */
export const accountSingletons = [
  'balance.available',
  'balance_settings.updated',
  'tax.settings.updated',
] as const satisfies readonly TwinType[]
