import { expect, test } from 'vitest'
import type { ObjectOf } from '../../../src/handlers/built-in/related-object.ts'
import { INFO, readObject, runBuiltIn, snapshotOf, WARN, without } from '../../support/handler-context.ts'

const type = 'person.updated'
const person = readObject(type, 'person')
const none: NonNullable<ObjectOf<typeof type>['requirements']> = {
  alternatives: [],
  currently_due: [],
  errors: [],
  eventually_due: [],
  past_due: [],
  pending_verification: [],
}

test('says how far the verification is', async () => {
  expect(await runBuiltIn(snapshotOf(type, person))).toEqual({
    level: INFO,
    msg: 'person updated',
    eventId: 'evt_1Snapshot',
    type,
    account: 'acct_1Connected',
    objectId: 'person_1Pgc6oB7WZ01zgkWnmLL70wS',
    verificationStatus: 'unverified',
    verificationCode: null,
    pastDue: [],
    currentlyDue: [],
  })
})

test('warns when a requirement is past due', async () => {
  const requirements = { ...none, past_due: ['verification.document'], currently_due: ['verification.document'] }
  expect(await runBuiltIn(snapshotOf(type, { ...person, requirements }))).toMatchObject({
    level: WARN,
    pastDue: ['verification.document'],
    currentlyDue: ['verification.document'],
  })
})

test.each([
  ['absent', without(person, 'requirements', 'verification')],
  ['null', { ...without(person, 'verification'), requirements: null }],
])('bears requirements that are %s', async (_, bare) => {
  expect(await runBuiltIn(snapshotOf(type, bare))).toMatchObject({
    level: INFO,
    verificationStatus: null,
    pastDue: null,
    currentlyDue: null,
  })
})

test('says nothing personal', async () => {
  const mark = 'personal-data'
  const full = {
    ...person,
    first_name: mark,
    last_name: mark,
    maiden_name: mark,
    email: mark,
    phone: mark,
    nationality: mark,
    dob: { day: 13, month: 12, year: 1911 },
    address: { city: mark, country: mark, line1: mark, line2: mark, postal_code: mark, state: mark },
    metadata: { note: mark },
  }
  const text = JSON.stringify(await runBuiltIn(snapshotOf(type, full)))
  expect(text).not.toContain(mark)
  expect(text).not.toContain('1911')
})
