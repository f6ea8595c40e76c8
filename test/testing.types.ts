// Claims about the types of the kit. Nothing runs this file: a wrong claim, or an error that stopped being one, fails tsc.
import type { PreviewType, ThinType } from '../src/event.ts'
import { handlerMap } from '../src/handlers/built-in/map.ts'
import type { DataOf, fetchedData } from '../src/samples/fetched-data.ts'
import { runHandler, sampleEvent } from '../src/testing.ts'

// An override is typed as what it overrides.
sampleEvent('payout.failed', { data: { object: { amount: 4200, failure_code: undefined } } }).data.object.amount
// @ts-expect-error a payout has no payment_intent
sampleEvent('payout.failed', { data: { object: { payment_intent: 'pi_1' } } })
// @ts-expect-error an amount is a number
sampleEvent('payout.failed', { data: { object: { amount: '42.00' } } })
// @ts-expect-error no such type
sampleEvent('payout.faild')
sampleEvent('v1.payout.failed', { context: 'acct_1', related_object: { id: 'po_1' } })
// @ts-expect-error a thin event has no data
sampleEvent('v1.payout.failed', { data: {} })
sampleEvent('charge.dispute.created', { data: { object: { charge: 'ch_1', evidence_details: { due_by: null } } } })

const event = sampleEvent('payout.failed')
runHandler(handlerMap, event, { stripe: { payouts: { retrieve: async () => ({ id: 'po_1' }) } } })
// @ts-expect-error the SDK has no such resource
runHandler(handlerMap, event, { stripe: { payoutz: {} } })

// The data of fetched events is there for all types that have some, and no others.
type Fetched = ThinType | PreviewType
type TypesWithData = { [T in Fetched]: [DataOf<T>] extends [never] ? never : T }[Fetched]
type Same<A, B> = [A, B] extends [B, A] ? true : false
export const hasAllData: Same<TypesWithData, keyof typeof fetchedData> = true
