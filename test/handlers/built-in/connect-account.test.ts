import { describe, expect, test } from 'vitest'
import {
  INFO,
  readObject,
  readPayload,
  runBuiltIn,
  snapshotOf,
  thinOf,
  WARN,
  without,
} from '../../support/handler-context.ts'

describe('account.updated', () => {
  const type = 'account.updated'
  const healthy = readPayload(type, 'djstripe-account_updated_custom').data.object

  test('says what the account may do and what is due', async () => {
    expect(await runBuiltIn(readPayload(type, 'djstripe-account_updated_custom'))).toEqual({
      level: INFO,
      msg: 'account updated',
      eventId: 'evt_1Itt6eB9wPxT0ovY3LLhi5bw',
      type,
      account: 'acct_1IuHosQveW0ONQsd',
      objectId: 'acct_1IuHosQveW0ONQsd',
      chargesEnabled: true,
      payoutsEnabled: true,
      detailsSubmitted: true,
      pastDue: [],
      currentlyDue: [],
      currentDeadline: null,
      disabledReason: null,
    })
  })

  test('warns with what is past due, the deadline and the reason', async () => {
    const { requirements } = readObject(type, 'account')
    if (!requirements) throw new Error('The sample has no requirements.')
    const due = { ...requirements, past_due: ['external_account'], current_deadline: 1_700_000_000 }
    expect(await runBuiltIn(snapshotOf(type, { ...healthy, requirements: due }))).toMatchObject({
      level: WARN,
      pastDue: ['external_account'],
      currentlyDue: expect.arrayContaining(['tos_acceptance.date']),
      currentDeadline: '2023-11-14T22:13:20.000Z',
      disabledReason: 'requirements.past_due',
    })
  })

  test.each([
    ['charges', { charges_enabled: false }],
    ['payouts', { payouts_enabled: false }],
  ])('warns when %s are disabled', async (_, changes) => {
    expect((await runBuiltIn(snapshotOf(type, { ...healthy, ...changes }))).level).toBe(WARN)
  })

  test('bears an account from before requirements existed, and warns by what it has', async () => {
    const verification = { disabled_reason: null, due_by: null, fields_needed: ['external_account'] }
    const old = { ...without(healthy, 'requirements', 'payouts_enabled'), verification }
    expect(await runBuiltIn(snapshotOf(type, old))).toMatchObject({ level: INFO, pastDue: null, currentlyDue: null })
    const blocked = { ...old, charges_enabled: false }
    expect((await runBuiltIn(snapshotOf(type, blocked))).level).toBe(WARN)
  })
})

describe('account.external_account.updated', () => {
  const type = 'account.external_account.updated'

  test('says which bank account changed', async () => {
    expect(await runBuiltIn(readPayload(type, 'djstripe-external_account_bank_account_updated'))).toEqual({
      level: INFO,
      msg: 'external account updated',
      eventId: 'evt_1IuKmFQveW0ONQsdEAB1O64Y',
      type,
      account: 'acct_1IuHosQveW0ONQsd',
      objectId: 'ba_1IuVozQveW0ONQsd3dWG85e2',
      kind: 'bank_account',
      bank: 'STRIPE TEST BANK',
      last4: '1116',
      currency: 'usd',
      status: 'verified',
    })
  })

  test('says which card changed, though it has no status', async () => {
    const line = await runBuiltIn(snapshotOf(type, readObject(type, 'card')))
    expect(line).toMatchObject({ kind: 'card', brand: 'Visa', last4: '4242', currency: null, status: null })
    expect(line).not.toHaveProperty('bank')
  })

  test.each(['errored', 'verification_failed'])('warns of a bank account that is %s', async (status) => {
    const event = snapshotOf(type, readObject(type, 'bank_account', { status }))
    expect(await runBuiltIn(event)).toMatchObject({ level: WARN, status })
  })

  test.each([true, false])('says of a thin event what it tells, with an API key or not (%s)', async (hasApiKey) => {
    expect(await runBuiltIn(thinOf(`v1.${type}`), { hasApiKey })).toEqual({
      level: INFO,
      msg: 'external account updated',
      eventId: 'evt_test_1Thin',
      type: `v1.${type}`,
      account: 'acct_1Connected',
      objectId: null,
      fetched: false,
    })
  })
})

describe('account.application.deauthorized', () => {
  const type = 'account.application.deauthorized'

  test('warns with the account that left and the application', async () => {
    expect(await runBuiltIn(readPayload(type, 'djstripe-account_application_deauthorized'))).toEqual({
      level: WARN,
      msg: 'application deauthorized',
      eventId: 'evt_1Iu8ZfA3kq9o1aTcf3b7EknK',
      type,
      account: 'acct_1Fg9jUA3kq9o1aTc',
      objectId: 'ca_JWVN6vOJJs3RKsff0VUwIUfmUmN0VYqe',
    })
  })

  test.each([true, false])('warns of a thin event, with an API key or not (%s)', async (hasApiKey) => {
    expect(await runBuiltIn(thinOf(`v1.${type}`), { hasApiKey })).toEqual({
      level: WARN,
      msg: 'application deauthorized',
      eventId: 'evt_test_1Thin',
      type: `v1.${type}`,
      account: 'acct_1Connected',
      objectId: null,
    })
  })
})
