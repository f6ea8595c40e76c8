import { isThinType, twinOf } from '../../event/twin.ts'
import type { EntryState, EventShape, EventType, WebhookRoute } from '../../event.ts'
import { handlerMap } from '../../handlers/built-in/map.ts'
import { buildSampleEvent } from '../../samples/event.ts'
import { type Delivery, readNames } from '../../samples/send.ts'

const UNKNOWN_TYPE = 'invoice.imaginary'

/** A delivery of the demo, and how it must end. */
export interface DemoDelivery extends Delivery {
  readonly kind: 'event' | 'duplicate' | 'forged' | 'unknown type'
  readonly shape: EventShape
  readonly route: WebhookRoute
  readonly body: string
  readonly expectedStatus: number
  /** Null: nothing may be stored. */
  readonly expectedState: EntryState | null
}

/** Each sample in both shapes on both routes, then one duplicate, one forgery and one type that nobody handles. */
export function planDemo(now: Date): DemoDelivery[] {
  const routes: readonly WebhookRoute[] = ['account', 'connect']
  const events = routes.flatMap((route) => builtInTypes.map((type) => planEvent(type, route, now)))
  const [original] = events
  if (original === undefined) return []
  const unknown = planEvent('payout.failed', 'account', now)
  return [
    ...events,
    { ...original, kind: 'duplicate' },
    { ...planEvent('payout.failed', 'account', now), kind: 'forged', expectedStatus: 400, expectedState: null },
    {
      ...unknown,
      kind: 'unknown type',
      type: UNKNOWN_TYPE,
      body: unknown.body.replace('"payout.failed"', `"${UNKNOWN_TYPE}"`),
      expectedState: 'unhandled',
    },
  ]
}

// The cast holds: a literal's own keys are all that Object.keys gives.
const handledTypes = Object.keys(handlerMap) as (keyof typeof handlerMap)[]
/** Each snapshot type, followed by its twin. */
const builtInTypes = handledTypes
  .filter((type) => !isThinType(type))
  .flatMap((type) => handledTypes.filter((each) => each === type || each === twinOf(type)))

/** A delivery of a sample that must be handled, on the Connect route of that account. */
export function planEvent(
  type: EventType,
  route: WebhookRoute,
  now: Date,
  account = 'acct_1DemoConnected0',
): DemoDelivery {
  const body = buildSampleEvent({ type, account: route === 'connect' ? account : undefined, now })
  return {
    kind: 'event',
    ...readNames(body),
    shape: isThinType(type) ? 'thin' : 'snapshot',
    route,
    body,
    expectedStatus: 200,
    expectedState: 'handled',
  }
}
