import { describe, expect, test } from 'vitest'
import { sampleEvent } from '../../../src/testing.ts'
import { readPayload } from '../../support/read-payload.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'

const type = 'account.updated'
const captured = readPayload(type, 'djstripe-account_updated_custom')
const healthy = captured.data.object
const { requirements: none } = healthy
if (!none) throw new Error('The captured account has no requirements.')

/** An event that changed these fields of a healthy account, and tells what they were. */
function changed(now: object, previous_attributes: object) {
  return { ...captured, data: { object: { ...healthy, ...now }, previous_attributes } }
}

test('says what the account may do, and what is due now, later and under rules to come', async () => {
  const future_requirements = { ...none, currently_due: ['owners.dob.day'], current_deadline: 1_700_000_000 }
  const { capabilities, ...facts } = await runBuiltIn(changed({ future_requirements }, { metadata: {} }))
  expect(facts).toEqual({
    level: 'info',
    msg: 'account updated',
    eventId: captured.id,
    type,
    account: 'acct_1IuHosQveW0ONQsd',
    objectId: 'acct_1IuHosQveW0ONQsd',
    chargesEnabled: true,
    payoutsEnabled: true,
    detailsSubmitted: true,
    pastDue: [],
    currentlyDue: [],
    currentDeadline: null,
    eventuallyDue: ['individual.verification.document'],
    disabledReason: null,
    errors: [],
    futureDue: ['owners.dob.day'],
    futureDeadline: '2023-11-14T22:13:20.000Z',
  })
  expect(capabilities).toEqual(['transfers active'])
})

describe('warns of what changed to the worse', () => {
  const error = (code: string) => ({ code, requirement: 'owners.dob', reason: 'Jenny was not born on 1 May' })

  test.each([
    ['charges', { charges_enabled: false }, { charges_enabled: true }, 'charges disabled'],
    ['payouts', { payouts_enabled: false }, { payouts_enabled: true }, 'payouts disabled'],
    [
      'a capability',
      { capabilities: { transfers: 'pending', card_payments: 'active' } },
      { capabilities: { transfers: 'active' } },
      'transfers pending',
    ],
    [
      'a requirement',
      { requirements: { ...none, past_due: ['external_account', 'owners.dob'] } },
      { requirements: { past_due: ['external_account'] } },
      'owners.dob past due',
    ],
    [
      'an error, without its text',
      { requirements: { ...none, errors: [error('invalid_dob_age_under_minimum'), error('invalid_value_other')] } },
      { requirements: { errors: [error('invalid_value_other')] } },
      'owners.dob invalid_dob_age_under_minimum',
    ],
    [
      'all, by a rejection',
      { requirements: { ...none, disabled_reason: 'rejected.fraud' } },
      { requirements: { disabled_reason: 'requirements.past_due' } },
      'rejected',
    ],
  ])('%s', async (_what, now, before, worsened) => {
    const line = await runBuiltIn(changed(now, before))
    expect(line).toMatchObject({ level: 'warn', worsened: [worsened] })
    expect(JSON.stringify(line)).not.toContain('Jenny')
    // The same account, changed in some other way, is no news.
    const other = await runBuiltIn(changed(now, { metadata: { order: '1' } }))
    expect(other.level).toBe('info')
    expect(other).not.toHaveProperty('worsened')
  })

  test('and not of what changed for the better, or was as bad before', async () => {
    const errors = [error('invalid_value_other')]
    const before = { ...none, past_due: ['a', 'b'], errors, disabled_reason: 'rejected.other' }
    const now = { ...none, past_due: ['a'], errors, disabled_reason: 'rejected.fraud' }
    const were = { charges_enabled: false, capabilities: { transfers: 'inactive' }, requirements: before }
    const are = { charges_enabled: true, capabilities: { transfers: 'pending' }, requirements: now }
    expect((await runBuiltIn(changed(are, were))).level).toBe('info')
  })

  test('and not of what an account that is still being onboarded lacks', async () => {
    const onboarding = { details_submitted: false, charges_enabled: false, payouts_enabled: false }
    const requirements = { ...none, past_due: ['owners.dob'], disabled_reason: 'requirements.past_due' }
    const before = { requirements: { past_due: [], disabled_reason: 'requirements.pending_verification' } }
    expect((await runBuiltIn(changed({ ...onboarding, requirements }, before))).level).toBe('info')
  })
})

describe('a thin event, which does not tell what changed', () => {
  const thin = (changes: object) =>
    sampleEvent(`v1.${type}`, { fetchRelatedObject: async () => ({ ...healthy, ...changes }) })

  test.each([
    ['charges are disabled', { charges_enabled: false }],
    ['payouts are disabled', { payouts_enabled: false }],
    ['something is past due', { requirements: { ...none, past_due: ['external_account'] } }],
  ])('warns when %s, once the account is through its onboarding', async (_what, changes) => {
    expect((await runBuiltIn(thin(changes))).level).toBe('warn')
    expect((await runBuiltIn(thin({ ...changes, details_submitted: false }))).level).toBe('info')
    expect((await runBuiltIn(thin({}))).level).toBe('info')
  })
})

test('bears an account from before requirements existed, and warns by what it has', async () => {
  const verification = { disabled_reason: null, due_by: null, fields_needed: ['external_account'] }
  const newer = { requirements: undefined, future_requirements: undefined, capabilities: undefined }
  const old = { ...newer, payouts_enabled: undefined, verification }
  const data = { object: old, previous_attributes: undefined }
  expect(await runBuiltIn(sampleEvent(type, { data }))).toMatchObject({
    level: 'info',
    pastDue: null,
    eventuallyDue: null,
    futureDue: null,
    capabilities: [],
  })
  const blocked = sampleEvent(type, { data: { ...data, object: { ...old, charges_enabled: false } } })
  expect((await runBuiltIn(blocked)).level).toBe('warn')
})
