import { describe, expect, test } from 'vitest'
import type { EventOf } from '../../../src/event.ts'
import { handlerMap } from '../../../src/handlers/built-in/map.ts'
import {
  authorizationOf,
  type BuiltInType,
  INFO,
  readObject,
  readPayload,
  runBuiltIn,
  snapshotOf,
  thinOf,
  WARN,
} from '../../support/handler-context.ts'

/** One event for each built-in snapshot type, with the level of its thin twin when nothing is fetched. */
const samples = [
  sample(readPayload('payment_intent.succeeded', 'lago-2024-09-30.acacia-payment_intent_succeeded'), INFO),
  sample(readPayload('payment_intent.payment_failed', 'lago-2020-08-27-payment_intent_payment_failed'), WARN),
  sample(readPayload('payment_method.attached', 'rubymock-payment_method.attached'), INFO),
  sample(readPayload('charge.dispute.created', 'rubymock-charge.dispute.created'), WARN),
  sample(readPayload('charge.dispute.closed', 'lago-2020-08-27-charge_dispute_closed'), INFO),
  sample(snapshotOf('charge.refunded', readObject('charge.refunded', 'charge')), INFO),
  sample(readPayload('balance.available', 'gitpay-balance.available'), INFO),
  sample(readPayload('payout.failed', 'gitpay-payout.failed'), WARN),
  sample(readPayload('payout.paid', 'rubymock-payout.paid'), INFO),
  sample(snapshotOf('invoice.payment_failed', readObject('invoice.payment_failed', 'invoice')), WARN),
  sample(
    snapshotOf('customer.subscription.deleted', readObject('customer.subscription.deleted', 'subscription')),
    INFO,
  ),
  sample(authorizationOf('issuing_authorization.created'), INFO),
  sample(readPayload('account.updated', 'djstripe-account_updated_custom'), INFO),
  sample(readPayload('account.external_account.updated', 'djstripe-external_account_bank_account_updated'), INFO),
  sample(
    snapshotOf('account.application.authorized', { id: 'ca_1', object: 'application', name: 'Rosen Books' }),
    INFO,
  ),
  sample(readPayload('account.application.deauthorized', 'djstripe-account_application_deauthorized'), WARN),
  sample(snapshotOf('person.updated', readObject('person.updated', 'person')), INFO),
]
const namesNoObject = [
  'account.external_account.updated',
  'account.application.authorized',
  'account.application.deauthorized',
]
/** Types of thin events that are nobody's twin. */
const alone = ['v2.core.health.event_generation_failure.resolved']

function sample(event: EventOf<Exclude<BuiltInType, `v${number}.${string}`>>, unfetchedLevel: number) {
  return { event, type: event.type, unfetchedLevel }
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
  const related = { ...(object.id && { id: object.id }), type: object.object }

  test('says of the fetched object what the snapshot says', async () => {
    const { eventId, type: _, account, ...said } = await runBuiltIn(event)
    const thin = thinOf(`v1.${type}`, related, object)
    expect(await runBuiltIn(thin)).toEqual({
      ...said,
      eventId: thin.id,
      type: `v1.${type}`,
      account: 'acct_1Connected',
    })
  })

  test('says without an API key what the notification tells', async () => {
    const thin = thinOf(`v1.${type}`, related, new Error('fetched without a key'))
    expect(await runBuiltIn(thin, { hasApiKey: false })).toEqual({
      level: unfetchedLevel,
      msg: (await runBuiltIn(event)).msg,
      eventId: thin.id,
      type: `v1.${type}`,
      account: 'acct_1Connected',
      objectId: object.id ?? null,
      fetched: false,
    })
  })

  test('fails when fetching fails', async () => {
    const thin = thinOf(`v1.${type}`, related, new Error('Stripe does not answer'))
    await expect(runBuiltIn(thin)).rejects.toThrow('Stripe does not answer')
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
