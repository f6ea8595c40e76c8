import { describe, expect, test } from 'vitest'
import type { EventOf, SnapshotType } from '../../../src/event.ts'
import { handlerMap } from '../../../src/handlers/built-in/map.ts'
import { sampleEvent } from '../../../src/testing.ts'
import { readPayload } from '../../support/read-payload.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'

/** One event for each built-in snapshot type, with the level of its thin twin when nothing is fetched. */
const samples = [
  sample(readPayload('payment_intent.succeeded', 'lago-2024-09-30.acacia-payment_intent_succeeded'), 'info'),
  sample(readPayload('payment_method.attached', 'rubymock-payment_method.attached'), 'info'),
  sample(readPayload('charge.dispute.created', 'rubymock-charge.dispute.created'), 'warn'),
  sample(readPayload('balance.available', 'gitpay-balance.available'), 'info'),
  sample(readPayload('payout.failed', 'gitpay-payout.failed'), 'warn'),
  sample(readPayload('account.updated', 'djstripe-account_updated_custom'), 'info'),
  sample(readPayload('account.external_account.updated', 'djstripe-external_account_bank_account_updated'), 'info'),
  sample(readPayload('account.application.deauthorized', 'djstripe-account_application_deauthorized'), 'warn'),
  sample(sampleEvent('person.updated', { data: { object: { requirements: { past_due: [] } } } }), 'info'),
]
const namesNoObject = ['account.external_account.updated', 'account.application.deauthorized']

function sample(event: EventOf<keyof typeof handlerMap & SnapshotType>, unfetchedLevel: string) {
  return { event, type: event.type, unfetchedLevel }
}

test('holds the nine snapshot types and the thin twin of each', () => {
  const types = samples.map(({ type }) => type)
  expect(Object.keys(handlerMap)).toEqual(expect.arrayContaining([...types, ...types.map((type) => `v1.${type}`)]))
})

const fetchable = samples.filter(({ type }) => !namesNoObject.includes(type))

describe.each(fetchable)('v1.$type', ({ event, type, unfetchedLevel }) => {
  // An event's object has these, but a balance no id.
  const object = event.data.object as { id?: string; object: string }
  const thinOf = (fetchRelatedObject: () => Promise<unknown>) => {
    const overrides = { context: 'acct_1Connected', related_object: { id: object.id }, fetchRelatedObject }
    // Which overrides fit a union of types is more than the compiler follows; all of these types have them.
    return sampleEvent(`v1.${type}`, overrides as never)
  }

  test('says of the fetched object what the snapshot says', async () => {
    const { eventId, type: _, account, ...said } = await runBuiltIn(event)
    const thin = thinOf(async () => object)
    expect(await runBuiltIn(thin)).toEqual({
      ...said,
      eventId: thin.id,
      type: `v1.${type}`,
      account: 'acct_1Connected',
    })
  })

  test('says without an API key what the notification tells', async () => {
    const thin = thinOf(() => Promise.reject(new Error('fetched without a key')))
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
    const thin = thinOf(() => Promise.reject(new Error('Stripe does not answer')))
    await expect(runBuiltIn(thin)).rejects.toThrow('Stripe does not answer')
  })
})

describe('personal data', () => {
  const PERSONAL = 'personal-data'
  // A balance has none.
  const planted = samples.filter(({ type }) => type !== 'balance.available')

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
