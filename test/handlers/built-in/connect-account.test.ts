import { describe, expect, test } from 'vitest'
import { sampleEvent } from '../../../src/testing.ts'
import { readPayload } from '../../support/read-payload.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'

const thin = { id: 'evt_1Thin', context: 'acct_1Connected' }

describe('account.updated', () => {
  const type = 'account.updated'
  const requirements = { currently_due: [], past_due: [], current_deadline: null, disabled_reason: null }
  const healthy = { payouts_enabled: true, requirements }

  test('says what the account may do and what is due', async () => {
    expect(await runBuiltIn(readPayload(type, 'djstripe-account_updated_custom'))).toEqual({
      level: 'info',
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
    const event = sampleEvent(type, {
      data: {
        object: {
          payouts_enabled: true,
          requirements: {
            past_due: ['external_account'],
            currently_due: ['external_account', 'tos_acceptance.date'],
            current_deadline: 1_700_000_000,
            disabled_reason: 'requirements.past_due',
          },
        },
      },
    })
    expect(await runBuiltIn(event)).toMatchObject({
      level: 'warn',
      pastDue: ['external_account'],
      currentlyDue: ['external_account', 'tos_acceptance.date'],
      currentDeadline: '2023-11-14T22:13:20.000Z',
      disabledReason: 'requirements.past_due',
    })
  })

  test.each([
    ['charges', { charges_enabled: false }],
    ['payouts', { payouts_enabled: false }],
  ])('warns when %s are disabled', async (_, changes) => {
    const event = sampleEvent(type, { data: { object: { ...healthy, ...changes } } })
    expect((await runBuiltIn(event)).level).toBe('warn')
  })

  test('bears an account from before requirements existed, and warns by what it has', async () => {
    const old = { requirements: undefined, payouts_enabled: undefined }
    expect(await runBuiltIn(sampleEvent(type, { data: { object: old } }))).toMatchObject({
      level: 'info',
      pastDue: null,
      currentlyDue: null,
    })
    const blocked = { ...old, charges_enabled: false }
    expect((await runBuiltIn(sampleEvent(type, { data: { object: blocked } }))).level).toBe('warn')
  })
})

describe('account.external_account.updated', () => {
  const type = 'account.external_account.updated'

  test('says which bank account changed', async () => {
    expect(await runBuiltIn(readPayload(type, 'djstripe-external_account_bank_account_updated'))).toEqual({
      level: 'info',
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
    const card = {
      object: 'card',
      brand: 'Visa',
      last4: '4242',
      bank_name: undefined,
      currency: null,
      status: null,
    } as const
    const line = await runBuiltIn(sampleEvent(type, { data: { object: card } }))
    expect(line).toMatchObject({ kind: 'card', brand: 'Visa', last4: '4242', currency: null, status: null })
    expect(line).not.toHaveProperty('bank')
  })

  test.each(['errored', 'verification_failed'])('warns of a bank account that is %s', async (status) => {
    expect(await runBuiltIn(sampleEvent(type, { data: { object: { status } } }))).toMatchObject({
      level: 'warn',
      status,
    })
  })

  test.each([true, false])('says of a thin event what it tells, with an API key or not (%s)', async (hasApiKey) => {
    expect(await runBuiltIn(sampleEvent(`v1.${type}`, thin), { hasApiKey })).toEqual({
      level: 'info',
      msg: 'external account updated',
      eventId: thin.id,
      type: `v1.${type}`,
      account: thin.context,
      objectId: null,
      fetched: false,
    })
  })
})

describe('account.application.deauthorized', () => {
  const type = 'account.application.deauthorized'

  test('warns with the account that left and the application', async () => {
    expect(await runBuiltIn(readPayload(type, 'djstripe-account_application_deauthorized'))).toEqual({
      level: 'warn',
      msg: 'application deauthorized',
      eventId: 'evt_1Iu8ZfA3kq9o1aTcf3b7EknK',
      type,
      account: 'acct_1Fg9jUA3kq9o1aTc',
      objectId: 'ca_JWVN6vOJJs3RKsff0VUwIUfmUmN0VYqe',
    })
  })

  test.each([true, false])('warns of a thin event, with an API key or not (%s)', async (hasApiKey) => {
    expect(await runBuiltIn(sampleEvent(`v1.${type}`, thin), { hasApiKey })).toEqual({
      level: 'warn',
      msg: 'application deauthorized',
      eventId: thin.id,
      type: `v1.${type}`,
      account: thin.context,
      objectId: null,
    })
  })
})
