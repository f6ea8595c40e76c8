import { describe, expect, test } from 'vitest'
import { sampleEvent } from '../../../src/testing.ts'
import { readPayload } from '../../support/read-payload.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'

const account = 'acct_1Connected'

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
    const object = { object: 'card', brand: 'Visa', last4: '4242', currency: undefined, status: undefined } as const
    const line = await runBuiltIn(sampleEvent(type, { data: { object } }))
    expect(line).toMatchObject({
      level: 'info',
      kind: 'card',
      brand: 'Visa',
      last4: '4242',
      currency: null,
      status: null,
    })
    expect(line).not.toHaveProperty('bank')
  })

  test.each(['errored', 'verification_failed', 'tokenized_account_number_deactivated'])(
    'warns of a bank account that is %s',
    async (status) => {
      const event = sampleEvent(type, { data: { object: { object: 'bank_account', status } } })
      expect(await runBuiltIn(event)).toMatchObject({ level: 'warn', status })
    },
  )

  test.each([true, false])('says of a thin event what it tells, with an API key or not (%s)', async (hasApiKey) => {
    const thin = sampleEvent(`v1.${type}`, { context: account })
    expect(await runBuiltIn(thin, { hasApiKey })).toEqual({
      level: 'info',
      msg: 'external account updated',
      eventId: thin.id,
      type: `v1.${type}`,
      account,
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
      application: null,
    })
  })

  test('names the application that was left', async () => {
    const event = sampleEvent(type, { data: { object: { id: 'ca_1', name: 'Rosen Books' } } })
    expect(await runBuiltIn(event)).toMatchObject({ level: 'warn', objectId: 'ca_1', application: 'Rosen Books' })
  })

  test.each([true, false])('warns of a thin event, with an API key or not (%s)', async (hasApiKey) => {
    const thin = sampleEvent(`v1.${type}`, { context: account })
    expect(await runBuiltIn(thin, { hasApiKey })).toEqual({
      level: 'warn',
      msg: 'application deauthorized',
      eventId: thin.id,
      type: `v1.${type}`,
      account,
      objectId: null,
      application: null,
    })
  })
})
