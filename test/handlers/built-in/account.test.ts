import { describe, expect, test } from 'vitest'
import type { EventOf } from '../../../src/event.ts'
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

const type = 'account.updated'
type Data = EventOf<typeof type>['data']
const healthy = readPayload(type, 'djstripe-account_updated_custom').data.object
const { requirements: none } = healthy
if (!none) throw new Error('The captured account has no requirements.')

/** An event that changed these fields of a healthy account, and tells what they were. */
function changed(now: object, previous_attributes: object) {
  const event = snapshotOf(type, { ...healthy, ...now })
  return { ...event, data: { ...event.data, previous_attributes } satisfies Data }
}

test('says what the account may do, and what is due now, later and under rules to come', async () => {
  const future_requirements = { ...none, currently_due: ['owners.dob.day'], current_deadline: 1_700_000_000 }
  const { capabilities, ...facts } = await runBuiltIn(changed({ future_requirements }, { metadata: {} }))
  expect(facts).toEqual({
    level: INFO,
    msg: 'account updated',
    eventId: 'evt_1Snapshot',
    type,
    account: 'acct_1Connected',
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
    expect(line).toMatchObject({ level: WARN, worsened: [worsened] })
    expect(JSON.stringify(line)).not.toContain('Jenny')
    // The same account, changed in some other way, is no news.
    const other = await runBuiltIn(changed(now, { metadata: { order: '1' } }))
    expect(other.level).toBe(INFO)
    expect(other).not.toHaveProperty('worsened')
  })

  test('and not of what changed for the better, or was as bad before', async () => {
    const errors = [error('invalid_value_other')]
    const before = { ...none, past_due: ['a', 'b'], errors, disabled_reason: 'rejected.other' }
    const now = { ...none, past_due: ['a'], errors, disabled_reason: 'rejected.fraud' }
    const were = { charges_enabled: false, capabilities: { transfers: 'inactive' }, requirements: before }
    const are = { charges_enabled: true, capabilities: { transfers: 'pending' }, requirements: now }
    expect((await runBuiltIn(changed(are, were))).level).toBe(INFO)
  })

  test('and not of what an account that is still being onboarded lacks', async () => {
    const onboarding = readObject(type, 'account', { details_submitted: false, charges_enabled: false })
    const requirements = { ...none, past_due: ['owners.dob'], disabled_reason: 'requirements.past_due' }
    const before = { requirements: { past_due: [], disabled_reason: 'requirements.pending_verification' } }
    expect((await runBuiltIn(changed({ ...onboarding, requirements }, before))).level).toBe(INFO)
  })
})

describe('a thin event, which does not tell what changed', () => {
  const thin = (account: object) => thinOf(`v1.${type}`, { id: healthy.id, type: 'account' }, account)

  test.each([
    ['charges are disabled', { charges_enabled: false }],
    ['payouts are disabled', { payouts_enabled: false }],
    ['something is past due', { requirements: { ...none, past_due: ['external_account'] } }],
  ])('warns when %s, once the account is through its onboarding', async (_what, changes) => {
    expect((await runBuiltIn(thin({ ...healthy, ...changes }))).level).toBe(WARN)
    expect((await runBuiltIn(thin({ ...healthy, ...changes, details_submitted: false }))).level).toBe(INFO)
    expect((await runBuiltIn(thin(healthy))).level).toBe(INFO)
  })
})

test('bears an account from before requirements existed, and warns by what it has', async () => {
  const verification = { disabled_reason: null, due_by: null, fields_needed: ['external_account'] }
  const old = { ...without(healthy, 'requirements', 'capabilities', 'payouts_enabled'), verification }
  expect(await runBuiltIn(snapshotOf(type, old))).toMatchObject({
    level: INFO,
    pastDue: null,
    eventuallyDue: null,
    futureDue: null,
    capabilities: [],
  })
  const blocked = snapshotOf(type, { ...old, charges_enabled: false })
  expect((await runBuiltIn(blocked)).level).toBe(WARN)
})
