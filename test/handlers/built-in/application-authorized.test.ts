import { expect, test } from 'vitest'
import { INFO, runBuiltIn, snapshotOf, thinOf } from '../../support/handler-context.ts'

const type = 'account.application.authorized'

test('says that the account is connected, and to which application', async () => {
  const event = snapshotOf(type, { id: 'ca_1', object: 'application', name: 'Rosen Books' })
  expect(await runBuiltIn(event)).toEqual({
    level: INFO,
    msg: 'application authorized',
    eventId: 'evt_1Snapshot',
    type,
    account: 'acct_1Connected',
    objectId: 'ca_1',
    application: 'Rosen Books',
  })
})

test.each([true, false])('says of a thin event what it tells, with an API key or not (%s)', async (hasApiKey) => {
  expect(await runBuiltIn(thinOf(`v1.${type}`), { hasApiKey })).toMatchObject({
    level: INFO,
    msg: 'application authorized',
    account: 'acct_1Connected',
    application: null,
  })
})
