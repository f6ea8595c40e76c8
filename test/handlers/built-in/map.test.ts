import { describe, expect, test } from 'vitest'
import type { EventOf, ThinType } from '../../../src/event.ts'
import { handlerMap } from '../../../src/handlers/built-in/map.ts'
import { sampleEvent } from '../../../src/testing.ts'
import { readPayload } from '../../support/read-payload.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'

const ACCOUNT = 'acct_1Connected'

/** One event for each built-in snapshot type, with the level of its thin twin when nothing is fetched. */
const samples = [
  sample(readPayload('payment_intent.succeeded', 'lago-2024-09-30.acacia-payment_intent_succeeded'), 'info'),
  sample(readPayload('payment_intent.payment_failed', 'lago-2020-08-27-payment_intent_payment_failed'), 'warn'),
  sample(readPayload('payment_method.attached', 'rubymock-payment_method.attached'), 'info'),
  sample(readPayload('charge.dispute.created', 'rubymock-charge.dispute.created'), 'warn'),
  sample(readPayload('charge.dispute.closed', 'lago-2020-08-27-charge_dispute_closed'), 'info'),
  sample(sampleEvent('charge.refunded'), 'info'),
  sample(readPayload('balance.available', 'gitpay-balance.available'), 'info'),
  sample(readPayload('payout.failed', 'gitpay-payout.failed'), 'warn'),
  sample(readPayload('payout.paid', 'rubymock-payout.paid'), 'info'),
  sample(sampleEvent('invoice.payment_failed'), 'warn'),
  sample(sampleEvent('customer.subscription.deleted'), 'info'),
  sample(sampleEvent('issuing_authorization.created'), 'info'),
  sample(readPayload('account.updated', 'djstripe-account_updated_custom'), 'info'),
  sample(readPayload('account.external_account.updated', 'djstripe-external_account_bank_account_updated'), 'info'),
  sample(sampleEvent('account.application.authorized'), 'info'),
  sample(readPayload('account.application.deauthorized', 'djstripe-account_application_deauthorized'), 'warn'),
  sample(sampleEvent('person.updated'), 'info'),
]
const namesNoObject = [
  'account.external_account.updated',
  'account.application.authorized',
  'account.application.deauthorized',
]
/** Types of thin events that are nobody's twin. */
const alone = ['v2.core.health.event_generation_failure.resolved']

function sample(event: EventOf<Exclude<keyof typeof handlerMap, `v${number}.${string}`>>, unfetchedLevel: string) {
  return { event, type: event.type, unfetchedLevel }
}

function thinAbout(type: ThinType, id: string | undefined, fetchRelatedObject: () => Promise<never>) {
  return sampleEvent<ThinType>(type, { context: ACCOUNT, related_object: { id }, fetchRelatedObject })
}

test('holds a thin twin for each snapshot type, and a sample here', () => {
  const types = samples.map(({ type }) => type)
  const twins = types.map((type) => `v1.${type}`)
  expect(Object.keys(handlerMap).toSorted()).toEqual([...types, ...twins, ...alone].toSorted())
})

const fetchable = samples.filter(({ type }) => !namesNoObject.includes(type))

describe.each(fetchable)('v1.$type', ({ event, type, unfetchedLevel }) => {
  // An event's object has these, but a balance no id.
  const object = event.data.object as { id?: string; object: string }
  const thinOf = (fetchRelatedObject: () => Promise<never>) => thinAbout(`v1.${type}`, object.id, fetchRelatedObject)
  const fail = () => Promise.reject(new Error('Stripe does not answer'))

  test('says of the fetched object what the snapshot says', async () => {
    const { eventId: _id, type: _, account: _account, ...said } = await runBuiltIn(event)
    // Both shapes are about an object of the same kind.
    const thin = thinOf(async () => object as never)
    expect(await runBuiltIn(thin)).toEqual({ ...said, eventId: thin.id, type: `v1.${type}`, account: ACCOUNT })
  })

  test('says without an API key what the notification tells', async () => {
    const thin = thinOf(fail)
    expect(await runBuiltIn(thin, { hasApiKey: false })).toEqual({
      level: unfetchedLevel,
      msg: (await runBuiltIn(event)).msg,
      eventId: thin.id,
      type: `v1.${type}`,
      account: ACCOUNT,
      objectId: object.id ?? null,
      fetched: false,
    })
  })

  test('fails when fetching fails', async () => {
    await expect(runBuiltIn(thinOf(fail))).rejects.toThrow('Stripe does not answer')
  })
})

describe('personal data', () => {
  const PERSONAL = 'personal-data'
  // A balance has none, and an application's name is that of a program.
  const planted = samples.filter(({ event }) => !['balance', 'application'].includes(event.data.object.object))

  test.each(planted)('stays out of the line of $type', async ({ event }) => {
    const copy = structuredClone(event)
    expect(plant(copy.data.object)).toBeGreaterThan(0)
    expect(JSON.stringify(await runBuiltIn(copy))).not.toContain(PERSONAL)
  })

  const personalKeys =
    /name|email|phone|address|city|line\d|postal|^ip$|dob|description|statement|secret|metadata|fingerprint|routing|url/

  /** Puts a mark into every field that may tell of a person, and counts them. Bank names are told on purpose. */
  function plant(node: object, isPersonal = false): number {
    let count = 0
    for (const [key, value] of Object.entries(node)) {
      const marks = key !== 'bank_name' && (isPersonal || personalKeys.test(key))
      if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) count += plant(value, marks)
      else if (marks) {
        Object.assign(node, { [key]: PERSONAL })
        count += 1
      }
    }
    return count
  }
})
