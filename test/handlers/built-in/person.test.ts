import { expect, test } from 'vitest'
import { sampleEvent } from '../../../src/testing.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'

const type = 'person.updated'
const account = 'acct_1Connected'
/** As it is when nothing is due. */
const requirements = { currently_due: [], eventually_due: [], past_due: [] }

test('says how far the verification is', async () => {
  const person = { id: 'person_1', requirements, verification: { details_code: null } }
  expect(await runBuiltIn(sampleEvent(type, { id: 'evt_1', account, data: { object: person } }))).toEqual({
    level: 'info',
    msg: 'person updated',
    eventId: 'evt_1',
    type,
    account,
    objectId: 'person_1',
    verificationStatus: 'unverified',
    verificationCode: null,
    pastDue: [],
    currentlyDue: [],
  })
})

test('warns when a requirement is past due', async () => {
  const due = { past_due: ['verification.document'], currently_due: ['verification.document'] }
  expect(await runBuiltIn(sampleEvent(type, { data: { object: { requirements: due } } }))).toMatchObject({
    level: 'warn',
    pastDue: ['verification.document'],
    currentlyDue: ['verification.document'],
  })
})

test.each([
  ['absent', { requirements: undefined, verification: undefined }],
  ['null', { requirements: null, verification: undefined }],
])('bears requirements that are %s', async (_, object) => {
  expect(await runBuiltIn(sampleEvent(type, { data: { object } }))).toMatchObject({
    level: 'info',
    verificationStatus: null,
    pastDue: null,
    currentlyDue: null,
  })
})

test('says nothing personal', async () => {
  const mark = 'personal-data'
  const full = {
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
  const text = JSON.stringify(await runBuiltIn(sampleEvent(type, { data: { object: full } })))
  expect(text).not.toContain(mark)
  expect(text).not.toContain('1911')
})
