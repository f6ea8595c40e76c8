import { expect, test } from 'vitest'
import { sampleEvent } from '../../../src/testing.ts'
import { runBuiltIn } from '../../support/run-built-in.ts'

const type = 'account.application.authorized'
const account = 'acct_1Connected'

test('says that the account is connected, and to which application', async () => {
  const object = { id: 'ca_1', name: 'Rosen Books' }
  expect(await runBuiltIn(sampleEvent(type, { id: 'evt_1', account, data: { object } }))).toEqual({
    level: 'info',
    msg: 'application authorized',
    eventId: 'evt_1',
    type,
    account,
    objectId: 'ca_1',
    application: 'Rosen Books',
  })
})

test.each([true, false])('says of a thin event what it tells, with an API key or not (%s)', async (hasApiKey) => {
  const thin = sampleEvent(`v1.${type}`, { context: account })
  expect(await runBuiltIn(thin, { hasApiKey })).toMatchObject({
    level: 'info',
    msg: 'application authorized',
    account,
    application: null,
  })
})
