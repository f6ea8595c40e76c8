import type { EntryState, EventShape, WebhookRoute } from '../../event.ts'
import { buildSampleEvent } from '../samples/event.ts'
import { type SampleType, sampleTypes } from '../samples/objects.ts'
import { type Delivery, readNames } from '../samples/send.ts'

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
  const events = routes.flatMap((route) =>
    sampleTypes.flatMap((type) => [planEvent(type, false, route, now), planEvent(type, true, route, now)]),
  )
  const [original] = events
  if (original === undefined) return []
  const unknown = planEvent('payout.failed', false, 'account', now)
  return [
    ...events,
    { ...original, kind: 'duplicate' },
    { ...planEvent('payout.failed', false, 'account', now), kind: 'forged', expectedStatus: 400, expectedState: null },
    {
      ...unknown,
      kind: 'unknown type',
      type: UNKNOWN_TYPE,
      body: unknown.body.replace('"payout.failed"', `"${UNKNOWN_TYPE}"`),
      expectedState: 'unhandled',
    },
  ]
}

function planEvent(type: SampleType, thin: boolean, route: WebhookRoute, now: Date): DemoDelivery {
  const account = route === 'connect' ? 'acct_1DemoConnected0' : undefined
  const body = buildSampleEvent({ type, thin, account, now })
  return {
    kind: 'event',
    ...readNames(body),
    shape: thin ? 'thin' : 'snapshot',
    route,
    body,
    expectedStatus: 200,
    expectedState: 'handled',
  }
}
