import { previewTypes } from '../event/known-types.ts'
import { twinOf } from '../event/twin.ts'
import type { EventShape } from '../event.ts'
import { PING_TYPE } from './destinations.ts'

/** Thin types are named for the API version that they come from: `v1.payout.failed`, `v2.core.account.updated`. */
export function shapeOfType(type: string): EventShape {
  return /^v\d+\./.test(type) ? 'thin' : 'snapshot'
}

/** A ping comes without, and what Stripe has in preview is for its operator to ask for in Workbench. */
export function isSubscribable(type: string): boolean {
  return type !== PING_TYPE && !previewTypes.includes(type)
}

/** Types of one shape that a destination can be asked for; a ping comes without. */
export function subscribableTypes(types: readonly string[], shape: EventShape): string[] {
  return types.filter((type) => shapeOfType(type) === shape && isSubscribable(type))
}

/** By these, of both shapes, handled or not, the server learns which accounts are connected. */
export const connectionTypes = ['account.application.authorized', 'account.application.deauthorized'].flatMap(
  (type) => [type, twinOf(type)],
)

/** Events about accounts of API v2 are the platform's own, for connected accounts too. docs.stripe.com/connect/webhooks */
export function isOfAccountV2(type: string): boolean {
  return type.startsWith('v2.core.account')
}

/** What a destination of that shape should be asked for, and the handled types that never come to one of that origin. */
export function neededTypes(
  handledTypes: readonly string[],
  { shape, from }: { readonly shape: EventShape; readonly from: 'account' | 'connect' },
): { readonly types: readonly string[]; readonly leftOut: readonly string[] } {
  const handled = subscribableTypes(handledTypes, shape)
  if (from === 'account') return { types: handled, leftOut: [] }
  const { true: leftOut = [], false: coming = [] } = Object.groupBy(handled, (type) => `${isOfAccountV2(type)}`)
  return { types: [...new Set([...coming, ...subscribableTypes(connectionTypes, shape)])], leftOut }
}
